//! How an operation is timed.

use std::time::Duration;

/// A name, and what measures it: nanoseconds of one operation.
pub type Row = (&'static str, fn() -> f64);

/// How long something runs before it is timed: until all that becomes faster with use has.
const WARM_UP: Duration = Duration::from_millis(300);

/// How long it is timed.
const TIMED: Duration = Duration::from_millis(200);

/// The processor's time that this thread has taken.
fn thread_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// The nanoseconds of one operation, of which `work` does as many as it is told.
pub fn each(mut work: impl FnMut(u32)) -> f64 {
    let mut count = 16;
    let start = thread_time();
    let mut took = Duration::ZERO;
    while thread_time() - start < WARM_UP {
        let before = thread_time();
        work(count);
        took = thread_time() - before;
        if took < WARM_UP / 20 {
            count *= 2;
        }
    }
    let wanted = TIMED.as_secs_f64() / took.as_secs_f64().max(1e-9);
    let count = (f64::from(count) * wanted).clamp(1.0, 1e9) as u32;
    let before = thread_time();
    work(count);
    (thread_time() - before).as_nanos() as f64 / f64::from(count)
}
