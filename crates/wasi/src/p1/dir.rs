//! Preopened directories, and listing directories.

use super::rights::FD_READDIR;
use super::{Args, Errno, Memory, Result, State};

pub(super) fn fd_prestat_get(cx: &State, mem: &mut Memory<'_>, args: Args<'_>) -> Result {
    let directory = cx.fds.preopened(args.u32(0))?;
    let name = directory.preopen.as_deref().unwrap_or_default();
    // The first word says that it is a directory, the only kind there is.
    let len = u32::try_from(name.len()).or(Err(Errno::Overflow))?;
    Ok(mem.write_u64(args.u32(1), u64::from(len) << 32)?)
}

pub(super) fn fd_prestat_dir_name(cx: &State, mem: &mut Memory<'_>, args: Args<'_>) -> Result {
    let directory = cx.fds.preopened(args.u32(0))?;
    let name = directory.preopen.as_deref().unwrap_or_default();
    if (args.u32(2) as usize) < name.len() {
        return Err(Errno::Nametoolong.into());
    }
    Ok(mem.write(args.u32(1), name.as_bytes())?)
}

/// Fills the buffer with entries, the last cut off where it does not fit: a
/// buffer that is not full tells the guest that it has seen everything.
pub(super) fn fd_readdir(cx: &State, mem: &mut Memory<'_>, args: Args<'_>) -> Result {
    let (cookie, result) = (args.u64(3), args.u32(4));
    mem.check(result, 1, 4)?;
    let (pointer, size) = (args.u32(1), args.u32(2));
    mem.check(pointer, size, 1)?;
    let directory = cx.fds.dir(args.u32(0), FD_READDIR)?;

    // Entries come one by one, and what is behind the last stays as it is.
    let mut used = 0;
    let mut stored = Ok(());
    directory.dir.read_dir(&cx.host, cookie, size as usize, &mut |entry| {
        let mut header = [0; 24];
        header[0..8].copy_from_slice(&entry.next.to_le_bytes());
        header[8..16].copy_from_slice(&entry.ino.to_le_bytes());
        header[16..20].copy_from_slice(&(entry.name.len() as u32).to_le_bytes());
        header[20] = entry.kind as u8;
        for part in [&header[..], entry.name] {
            let len = part.len().min((size - used) as usize);
            // The range is checked, so that the sum is no more than 2³².
            stored = stored.and(mem.write(pointer.wrapping_add(used), &part[..len]));
            used += len as u32;
        }
        used < size && stored.is_ok()
    })?;
    stored?;
    Ok(mem.write_u32(result, used)?)
}
