# An image that has the command and nothing else: a static binary of under 5 MB.
#
#   docker build --tag zwasm .
#   docker run --rm --volume "$PWD:/work" --workdir /work zwasm program.wasm --dir .
FROM rust:1.95 AS build
WORKDIR /sources
COPY . .
RUN target=$(uname -m)-unknown-linux-musl \
    && rustup target add "$target" \
    && cargo build --release --package zwasm-cli --target "$target" \
        --config "target.$target.linker='rust-lld'" \
    && cp "target/$target/release/zwasm" /zwasm

FROM scratch
COPY --from=build /zwasm /zwasm
ENTRYPOINT ["/zwasm"]
