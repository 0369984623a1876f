//! WASI's interfaces, as bindings to worlds that import them look for them.
//!
//! A world of an embedder's may import WASI beside its own interfaces, and these may use
//! WASI's resources. What stands for WASI there is here, so that nothing is made of it.
//! The functions themselves are defined by `add_to_linker_sync`, for all of them at once.
//!
//! ```
//! use zwasm::{Engine, Result};
//! use zwasm_component::{HasSelf, Linker, Resource, ResourceTable, bindgen};
//! use zwasm_wasi::p2::bindings::sync::io::streams::OutputStream;
//! use zwasm_wasi::{WasiCtx, WasiCtxView, WasiView};
//!
//! bindgen!({
//!     inline: r#"
//!         package my:host;
//!         package wasi:io@0.2.6 {
//!             interface streams { resource output-stream; }
//!         }
//!         package wasi:cli@0.2.6 {
//!             interface stdout {
//!                 use wasi:io/streams@0.2.6.{output-stream};
//!                 get-stdout: func() -> output-stream;
//!             }
//!         }
//!         interface wrapping {
//!             use wasi:io/streams@0.2.6.{output-stream};
//!             wrap: func(to: borrow<output-stream>, width: u32);
//!         }
//!         world wrapped {
//!             import wasi:cli/stdout@0.2.6;
//!             import wrapping;
//!             export run: func();
//!         }
//!     "#,
//!     with: { "wasi": zwasm_wasi::p2::bindings::sync },
//! });
//!
//! struct Host {
//!     wasi: WasiCtx,
//!     table: ResourceTable,
//! }
//!
//! impl WasiView for Host {
//!     fn ctx(&mut self) -> WasiCtxView<'_> {
//!         WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
//!     }
//! }
//!
//! impl my::host::wrapping::Host for Host {
//!     fn wrap(&mut self, _to: Resource<OutputStream>, _width: u32) {}
//! }
//!
//! fn main() -> Result<()> {
//!     let mut linker: Linker<Host> = Linker::new(&Engine::default());
//!     zwasm_wasi::p2::add_to_linker_sync(&mut linker)?;
//!     Wrapped::add_to_linker::<_, HasSelf<_>>(&mut linker, |host| host)?;
//!     Ok(())
//! }
//! ```

/// Modules of packages and interfaces; of interfaces that have them, the types of
/// resources.
macro_rules! packages {
    ($(
        $package:literal $module:ident {
            $($interface:literal $name:ident $({ $($resource:path as $as:ident),* })?;)*
        }
    )*) => {$(
        #[doc = concat!("`", $package, "`")]
        pub mod $module {$(
            #[doc = concat!("`", $package, "/", $interface, "`")]
            pub mod $name {
                $($(pub use $resource as $as;)*)?

                /// What a host would implement: nothing, as WASI is there already.
                pub trait Host {}
                impl<T: ?Sized> Host for T {}

                /// Adds nothing: [`add_to_linker_sync`](crate::p2::add_to_linker_sync) does.
                ///
                /// # Errors
                ///
                /// None.
                pub fn add_to_linker<T: 'static, D: zwasm_component::HasData>(
                    _linker: &mut zwasm_component::Linker<T>,
                    _host_getter: fn(&mut T) -> D::Data<'_>,
                ) -> zwasm::Result<()> {
                    Ok(())
                }
            }
        )*}
    )*};
}

packages! {
    "wasi:io" io {
        "error" error { crate::p2::io::IoError as Error };
        "poll" poll { crate::p2::io::poll::Pollable as Pollable };
        "streams" streams {
            crate::p2::io::IoError as Error,
            crate::p2::io::poll::Pollable as Pollable,
            crate::p2::io::streams::InputStream as InputStream,
            crate::p2::io::streams::OutputStream as OutputStream
        };
    }
    "wasi:cli" cli {
        "environment" environment;
        "exit" exit;
        "stdin" stdin;
        "stdout" stdout;
        "stderr" stderr;
        "terminal-input" terminal_input;
        "terminal-output" terminal_output;
        "terminal-stdin" terminal_stdin;
        "terminal-stdout" terminal_stdout;
        "terminal-stderr" terminal_stderr;
    }
    "wasi:clocks" clocks {
        "monotonic-clock" monotonic_clock;
        "wall-clock" wall_clock;
        "timezone" timezone;
    }
    "wasi:filesystem" filesystem {
        "types" types;
        "preopens" preopens;
    }
    "wasi:random" random {
        "random" random;
        "insecure" insecure;
        "insecure-seed" insecure_seed;
    }
    "wasi:sockets" sockets {
        "network" network;
        "instance-network" instance_network;
        "ip-name-lookup" ip_name_lookup;
        "tcp" tcp;
        "tcp-create-socket" tcp_create_socket;
        "udp" udp;
        "udp-create-socket" udp_create_socket;
    }
    "wasi:http" http {
        "types" types;
        "outgoing-handler" outgoing_handler;
    }
}
