//! Which of WASI's error numbers a code of Windows or of its sockets is.

use super::Errno;

/// The number for an error code; none for one that has no better name than its kind's.
pub(super) fn errno(code: i32) -> Option<Errno> {
    Some(match code {
        2 | 3 | 15 | 53 | 67 | 123 | 161 => Errno::Noent,
        4 | 10024 => Errno::Mfile,
        5 | 10013 => Errno::Acces,
        6 | 10009 => Errno::Badf,
        8 | 14 | 1450 | 1455 => Errno::Nomem,
        17 => Errno::Xdev,
        19 => Errno::Rofs,
        21 | 32 | 33 | 148 | 170 | 231 | 303 => Errno::Busy,
        39 | 112 => Errno::Nospc,
        50 | 10045 => Errno::Notsup,
        80 | 183 => Errno::Exist,
        87 | 131 | 4390 | 10022 => Errno::Inval,
        109 | 232 | 233 | 10058 => Errno::Pipe,
        120 => Errno::Nosys,
        132 => Errno::Spipe,
        145 | 10066 => Errno::Notempty,
        206 | 10063 => Errno::Nametoolong,
        223 => Errno::Fbig,
        267 => Errno::Notdir,
        336 => Errno::Isdir,
        681 | 1921 | 10062 => Errno::Loop,
        995 => Errno::Canceled,
        1142 => Errno::Mlink,
        1224 => Errno::Txtbsy,
        1295 => Errno::Dquot,
        1314 => Errno::Perm,
        10004 => Errno::Intr,
        10014 => Errno::Fault,
        10035 => Errno::Again,
        10036 => Errno::Inprogress,
        10037 => Errno::Already,
        10038 => Errno::Notsock,
        10039 => Errno::Destaddrreq,
        10040 => Errno::Msgsize,
        10041 => Errno::Prototype,
        10042 => Errno::Noprotoopt,
        10043 => Errno::Protonosupport,
        10047 => Errno::Afnosupport,
        10048 => Errno::Addrinuse,
        10049 => Errno::Addrnotavail,
        10050 => Errno::Netdown,
        10051 => Errno::Netunreach,
        10052 => Errno::Netreset,
        10053 => Errno::Connaborted,
        10054 => Errno::Connreset,
        10055 => Errno::Nobufs,
        10056 => Errno::Isconn,
        10057 => Errno::Notconn,
        10060 => Errno::Timedout,
        10061 => Errno::Connrefused,
        10065 => Errno::Hostunreach,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[test]
    fn codes_have_their_number() {
        let of = |code| Errno::from(io::Error::from_raw_os_error(code));
        assert_eq!(of(145), Errno::Notempty);
        assert_eq!(of(10035), Errno::Again);
        // What is not listed goes by its kind.
        assert_eq!(of(38), Errno::Io);
    }
}
