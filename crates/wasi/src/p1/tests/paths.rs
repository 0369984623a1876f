//! Paths and directories.

use super::super::Errno;
use super::super::rights;
use super::*;

/// Makes a symbolic link; false if the system does not let everybody do that.
fn symlink(target: &Path, link: &Path) -> bool {
    #[cfg(unix)]
    std::os::unix::fs::symlink(target, link).unwrap();
    #[cfg(windows)]
    if std::os::windows::fs::symlink_dir(target, link).is_err() || link.read_link().is_err() {
        return false;
    }
    true
}

#[test]
fn paths_do_not_lead_out() {
    let mut guest = Guest::new();
    let outside = Scratch::new();
    fs::write(outside.path().join("secret"), "s").unwrap();
    let inside = guest.scratch.path().to_owned();
    let relative = Path::new("..").join(outside.path().file_name().unwrap());
    let links = symlink(outside.path(), &inside.join("absolute"))
        && symlink(&relative, &inside.join("relative"));
    fs::create_dir(inside.join("sub")).unwrap();

    let up = relative.to_str().unwrap().replace('\\', "/");
    for path in [
        format!("{}/secret", outside.path().display()),
        "..".into(),
        "sub/../..".into(),
        format!("{up}/secret"),
        format!("sub/../{up}/secret"),
        "absolute/secret".into(),
        "relative/secret".into(),
    ] {
        if !links && path.ends_with("e/secret") {
            continue;
        }
        // A drive's letter is no name to begin with.
        let refused = if path.contains(':') { Errno::Inval } else { Errno::Perm } as u16;
        assert_eq!(guest.open(&path, 0, rights::FD_READ), Err(refused), "{path}");
        assert_eq!(guest.open(&path, CREATE, 0), Err(refused), "{path}");
        let (pointer, len) = guest.put(PATH, path.as_bytes());
        for follow in [0, 1] {
            let args = [DIR, follow, pointer, len, RESULT.into()];
            assert_eq!(guest.call("path_filestat_get", &args), refused, "{path}");
        }
        let unlink = guest.call("path_unlink_file", &[DIR, pointer, len]);
        assert_ne!(unlink, 0, "{path}");
    }
    let (target, target_len) = guest.put(PATH, b"/etc");
    let (link, link_len) = guest.put(OTHER, b"link");
    let args = [target, target_len, DIR, link, link_len];
    assert_eq!(guest.call("path_symlink", &args), Errno::Perm as u16);
    if links {
        let (link, link_len) = guest.put(OTHER, b"absolute");
        let args = [DIR, link, link_len, DATA.into(), 100, RESULT.into()];
        assert_eq!(guest.call("path_readlink", &args), Errno::Perm as u16);
    }
    assert_eq!(fs::read(outside.path().join("secret")).unwrap(), b"s");
}

/// What Windows takes for drives, streams, devices and other names than they are.
#[cfg(windows)]
#[test]
fn names_of_windows_lead_nowhere() {
    let mut guest = Guest::new();
    let scratch = guest.scratch.path().to_owned();
    fs::create_dir(scratch.join("sub")).unwrap();
    fs::write(scratch.join("file"), "kept").unwrap();
    for path in [
        "..\\x",
        "sub\\..\\..\\x",
        "\\\\?\\C:\\x",
        "C:x",
        "C:/x",
        "c:",
        "file:stream",
        "file::$DATA",
        "nul",
        "sub/NUL.txt",
        "con",
        "COM1",
        "lpt³.x",
        "conout$",
        "file.",
        "file ",
        "sub./x",
        "...",
    ] {
        let inval = Errno::Inval as u16;
        assert_eq!(guest.open(path, CREATE, READ_WRITE), Err(inval), "{path}");
        assert_eq!(guest.open(path, 0, rights::FD_READ), Err(inval), "{path}");
        let (pointer, len) = guest.put(PATH, path.as_bytes());
        let (file, file_len) = guest.put(OTHER, b"file");
        for function in ["path_create_directory", "path_remove_directory", "path_unlink_file"] {
            assert_eq!(guest.call(function, &[DIR, pointer, len]), inval, "{function} {path}");
        }
        let args = [DIR, 1, pointer, len, RESULT.into()];
        assert_eq!(guest.call("path_filestat_get", &args), inval, "{path}");
        for (from, to) in [((pointer, len), (file, file_len)), ((file, file_len), (pointer, len))] {
            let args = [DIR, from.0, from.1, DIR, to.0, to.1];
            assert_eq!(guest.call("path_rename", &args), inval, "{path}");
            let args = [DIR, 0, from.0, from.1, DIR, to.0, to.1];
            assert_eq!(guest.call("path_link", &args), inval, "{path}");
            let args = [from.0, from.1, DIR, to.0, to.1];
            assert_eq!(guest.call("path_symlink", &args), inval, "{path}");
        }
    }
    let mut names: Vec<_> =
        fs::read_dir(&scratch).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["file", "sub"]);
    assert_eq!(fs::read(scratch.join("file")).unwrap(), b"kept");
}

#[test]
fn bad_paths_are_errors() {
    let mut guest = Guest::new();
    assert_eq!(guest.open("", 0, 0), Err(Errno::Noent as u16));
    assert_eq!(guest.open("a\0b", 0, 0), Err(Errno::Inval as u16));
    guest.put(PATH, b"\xff\xfe");
    let args = [DIR, 0, PATH.into(), 2, 0, 0, 0, 0, RESULT.into()];
    assert_eq!(guest.call("path_open", &args), Errno::Ilseq as u16);
    assert_eq!(guest.open("x", CREATE | DIRECTORY, 0), Err(Errno::Inval as u16));
    assert_eq!(guest.open("x", 1 << 9, 0), Err(Errno::Inval as u16));
    fs::write(guest.scratch.path().join("file"), "").unwrap();
    let (pointer, len) = guest.put(PATH, b"file/");
    let args = [DIR, 0, pointer, len, RESULT.into()];
    assert_eq!(guest.call("path_filestat_get", &args), Errno::Notdir as u16);
}

#[test]
fn creating_asks_for_no_more_than_the_guest_did() {
    let mut guest = Guest::new();
    let path = guest.scratch.path().join("file");
    fs::write(&path, "kept").unwrap();
    let mut permissions = fs::metadata(&path).unwrap().permissions();
    let before = permissions.clone();
    permissions.set_readonly(true);
    fs::set_permissions(&path, permissions).unwrap();
    let file = guest.open("file", CREATE, rights::FD_READ).unwrap();
    assert_eq!(guest.read(file, 10).unwrap(), b"kept");
    assert_eq!(guest.write(file, b"x"), Errno::Badf as u16);
    // Not every system removes what is read-only.
    fs::set_permissions(&path, before).unwrap();

    fs::write(guest.scratch.path().join("other"), "cut").unwrap();
    let file = guest.open("other", TRUNCATE, rights::FD_READ).unwrap();
    assert_eq!(guest.read(file, 10).unwrap(), b"");
    assert_eq!(guest.write(file, b"x"), Errno::Badf as u16);
}

#[test]
fn a_failed_open_leaks_nothing() {
    let mut guest = Guest::new();
    let (pointer, len) = guest.put(PATH, b"file");
    let args = [DIR, 0, pointer, len, CREATE, READ_WRITE, 0, 0, 0x10000];
    assert_eq!(guest.call("path_open", &args), Errno::Fault as u16);
    assert!(!guest.scratch.path().join("file").exists());
    assert_eq!(guest.open("file", CREATE, READ_WRITE), Ok(4));
}

#[test]
fn appending_leaves_positioned_writes_alone() {
    let mut guest = Guest::new();
    let (pointer, len) = guest.put(PATH, b"log");
    let append = 1;
    let args = [DIR, 0, pointer, len, CREATE, READ_WRITE, 0, append, RESULT.into()];
    assert_eq!(guest.call("path_open", &args), 0);
    let file = guest.u32(RESULT).into();
    assert_eq!(guest.write(file, b"one two"), 0);
    guest.put(DATA, b"ONE");
    let (array, count) = guest.buffers(&[(DATA, 1), (DATA + 1, 2)]);
    assert_eq!(guest.call("fd_pwrite", &[file, array, count, 0, RESULT.into()]), 0);
    assert_eq!(guest.write(file, b" three"), 0);
    assert_eq!(fs::read(guest.scratch.path().join("log")).unwrap(), b"ONE two three");

    let args = [file, array, count, u64::MAX, RESULT.into()];
    assert_eq!(guest.call("fd_pwrite", &args), Errno::Inval as u16);
    assert_eq!(guest.call("fd_pread", &args), Errno::Inval as u16);
}

/// The names `fd_readdir` gives with a buffer of `len` bytes; `seen` is called
/// after every call.
fn list(guest: &mut Guest, dir: u64, len: u64, mut seen: impl FnMut(&[String])) -> Vec<String> {
    let (mut names, mut cookie) = (Vec::new(), 0);
    loop {
        let args = [dir, DATA.into(), len, cookie, RESULT.into()];
        assert_eq!(guest.call("fd_readdir", &args), 0);
        let used = guest.u32(RESULT);
        let mut at = 0;
        while at + 24 <= used {
            let namlen = guest.u32(DATA + at + 16);
            if at + 24 + namlen > used {
                break;
            }
            let name = &guest.memory[(DATA + at + 24) as usize..][..namlen as usize];
            names.push(String::from_utf8(name.to_vec()).unwrap());
            cookie = guest.u64(DATA + at);
            at += 24 + namlen;
        }
        seen(&names);
        if u64::from(used) < len {
            return names;
        }
        assert!(at > 0, "a buffer of {len} bytes holds an entry");
    }
}

#[test]
fn directories_are_listed_whole_whatever_the_buffer() {
    let mut guest = Guest::new();
    let mut expected = vec![".".to_string(), "..".to_string()];
    for index in 0..300 {
        let name = format!("{index:0width$}", width = 1 + index % 200);
        fs::write(guest.scratch.path().join(&name), "").unwrap();
        expected.push(name);
    }
    expected.sort();
    for len in [224, 300, 4096, 40_000] {
        let mut names = list(&mut guest, DIR, len, |_| {});
        names.sort();
        assert_eq!(names, expected, "{len}");
    }
    let past_the_end = [DIR, DATA.into(), 4096, u64::MAX / 2 + 1, RESULT.into()];
    assert_eq!(guest.call("fd_readdir", &past_the_end), 0);
    assert_eq!(guest.u32(RESULT), 0);
    // A buffer too small for any entry is filled as far as it goes.
    assert_eq!(guest.call("fd_readdir", &[DIR, DATA.into(), 10, 0, RESULT.into()]), 0);
    assert_eq!(guest.u32(RESULT), 10);
    assert_eq!(guest.call("fd_readdir", &[DIR, DATA.into(), 0, 0, RESULT.into()]), 0);
    assert_eq!(guest.u32(RESULT), 0);
}

#[test]
fn entries_removed_while_listing_hide_no_others() {
    let mut guest = Guest::new();
    let path = guest.scratch.path().to_owned();
    for index in 0..500 {
        fs::write(path.join(format!("entry-{index}")), "").unwrap();
    }
    let mut removed = 0;
    let names = list(&mut guest, DIR, 512, |names| {
        for name in &names[removed..] {
            let _ = fs::remove_file(path.join(name));
        }
        removed = names.len();
    });
    assert_eq!(names.len(), 502);
    assert_eq!(fs::read_dir(&path).unwrap().count(), 0);
}

/// The first name that `fd_readdir` gives from `cookie` on, and the cookie of
/// the next; none at the end.
fn entry_at(guest: &mut Guest, dir: u64, cookie: u64) -> Option<(String, u64)> {
    let args = [dir, DATA.into(), 300, cookie, RESULT.into()];
    assert_eq!(guest.call("fd_readdir", &args), 0);
    if guest.u32(RESULT) == 0 {
        return None;
    }
    let len = guest.u32(DATA + 16) as usize;
    let name = &guest.memory[DATA as usize + 24..][..len];
    Some((String::from_utf8(name.to_vec()).unwrap(), guest.u64(DATA)))
}

/// What a guest keeps in a `long` of 32 bits leads back to the same entries, in
/// any order, through a rewind, and while other entries come and go.
#[test]
fn cookies_fit_32_bits_and_stay() {
    let mut guest = Guest::new();
    let path = guest.scratch.path().to_owned();
    for index in 0..50 {
        fs::write(path.join(format!("entry-{index}")), "").unwrap();
    }
    let (mut seen, mut cookie) = (Vec::new(), 0);
    while let Some((name, next)) = entry_at(&mut guest, DIR, cookie) {
        seen.push((cookie, name));
        assert!(i32::try_from(next).is_ok(), "{next:#x}");
        cookie = next;
    }
    assert_eq!(seen.len(), 52);
    for _ in 0..2 {
        for (cookie, name) in seen.iter().rev() {
            assert_eq!(&entry_at(&mut guest, DIR, *cookie).unwrap().0, name);
        }
        for (at, next) in seen.iter().zip(&seen[1..]) {
            assert_eq!(entry_at(&mut guest, DIR, at.0), Some((at.1.clone(), next.0)));
        }
    }
    assert_eq!(entry_at(&mut guest, DIR, cookie), None);
    for made_up in [cookie + 1, 1 << 31, u64::MAX >> 1] {
        assert_eq!(entry_at(&mut guest, DIR, made_up), None, "{made_up:#x}");
    }

    // Another descriptor of the same directory counts for itself.
    let other = guest.open(".", DIRECTORY, rights::DIRECTORY).unwrap();
    assert_eq!(entry_at(&mut guest, other, cookie), None);
    assert_eq!(entry_at(&mut guest, other, 0).unwrap().0, seen[0].1);

    let (kept, gone) = seen.split_at(26);
    for (_, name) in gone.iter().filter(|(_, name)| name.starts_with("entry")) {
        fs::remove_file(path.join(name)).unwrap();
    }
    for (cookie, name) in kept {
        assert_eq!(&entry_at(&mut guest, DIR, *cookie).unwrap().0, name);
    }
}

#[test]
fn a_directory_to_remove_may_end_in_slashes() {
    let mut guest = Guest::new();
    let path = guest.scratch.path().to_owned();
    fs::create_dir(path.join("in")).unwrap();
    for name in ["a", "a/", "a//", "in/a/", "in//a///", "./a/"] {
        let directory = path.join(name.trim_end_matches('/'));
        fs::create_dir(&directory).unwrap();
        let (pointer, len) = guest.put(PATH, name.as_bytes());
        assert_eq!(guest.call("path_remove_directory", &[DIR, pointer, len]), 0, "{name}");
        assert!(!directory.exists(), "{name}");
    }

    fs::create_dir(path.join("in/full")).unwrap();
    fs::write(path.join("file"), "").unwrap();
    let links = symlink(Path::new("in/full"), &path.join("link"));
    for (name, errno) in [
        ("in/", Errno::Notempty),
        ("file/", Errno::Notdir),
        ("link/", Errno::Notdir),
        ("missing/", Errno::Noent),
        ("in/.", Errno::Inval),
        ("in/full/.", Errno::Inval),
        ("", Errno::Noent),
        ("/", Errno::Perm),
        ("//", Errno::Perm),
    ] {
        if name == "link/" && !links {
            continue;
        }
        let (pointer, len) = guest.put(PATH, name.as_bytes());
        let result = guest.call("path_remove_directory", &[DIR, pointer, len]);
        assert_eq!(result, errno as u16, "{name}");
    }
    assert!(path.join("in/full").exists() && path.join("file").exists());
}
