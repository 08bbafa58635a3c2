//! What holds of stored dumps whatever happens to their writers.

use std::{
    fs,
    os::fd::AsRawFd,
    panic::{AssertUnwindSafe, catch_unwind},
    thread::sleep,
    time::{Duration, Instant},
};

use nix::{
    sys::{
        signal::{Signal, kill},
        wait::waitpid,
    },
    unistd::{ForkResult, fork},
};

use super::*;
use crate::model::{Block, Dump};

/// A way of saving.
type Way = fn(&Store, &Recording) -> Result<Saved>;

const WAYS: [Way; 2] = [Store::save_nameless, Store::save_hidden];

/// Records that do not pack well.
fn recording(bytes: usize) -> Recording {
    let mut state = 1_u32;
    let mut record = |_| {
        let mut record = [0_u8; 56];
        record.iter_mut().for_each(|byte| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *byte = state.to_be_bytes()[0];
        });
        record[..8].copy_from_slice(&[0, 0, 0, 0, 56, 0, 7, 0]);
        record
    };
    let bytes: Vec<u8> = (0..bytes / 56).flat_map(&mut record).collect();
    Recording { dump: Dump::default(), blocks: vec![Block::of(Some(0), 0, bytes)] }
}

/// All records.
fn plain(recording: &Recording) -> Vec<u8> {
    recording.blocks.iter().flat_map(|block| block.plain().unwrap().into_owned()).collect()
}

fn unfinished(store: &Store) -> usize {
    let names = fs::read_dir(store.path()).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter(|name| name.to_string_lossy().starts_with(UNFINISHED)).count()
}

#[test]
fn both_ways_store_the_same() {
    let place = tempfile::tempdir().unwrap();
    let store = Store::open(&place.path().join("dumps")).unwrap();
    let recording = recording(10_000);
    for way in WAYS {
        let saved = way(&store, &recording).unwrap();
        let (read, damage) = super::super::read(File::open(&saved.path).unwrap()).unwrap();
        assert_eq!((plain(&read), damage), (plain(&recording), None));
        assert_eq!((read.dump.id, saved.size), (Some(saved.id), fs::metadata(&saved.path).unwrap().len()));
    }
    assert_eq!((store.entries().unwrap().len(), unfinished(&store)), (2, 0));
}

#[test]
fn only_what_a_dead_writer_left_is_removed() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("dumps");
    let store = Store::open(&path).unwrap();
    let living = Hidden::make(&store).unwrap();
    fs::write(path.join(format!("{UNFINISHED}1-0")), "half a dump").unwrap();
    assert_eq!(unfinished(&store), 2);
    let again = Store::open(&path).unwrap();
    assert!(path.join(&living.name).exists());
    assert_eq!(unfinished(&again), 1);
    drop(living);
    assert_eq!(unfinished(&again), 0);
}

/// kill -9 at 50 moments and more, half of them in the first save.
#[test]
fn a_killed_writer_leaves_whole_dumps_or_none() {
    for (way, leaves_something) in [(WAYS[0], false), (WAYS[1], true)] {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("dumps");
        let recording = recording(400_000);
        let began = Instant::now();
        way(&Store::open(&path).unwrap(), &recording).unwrap();
        let usual = began.elapsed();
        let (mut left, mut n) = (0, 0);
        // On a machine that is busier by now a save takes longer: until one has ended.
        while n < 50 || Store::existing(&path).unwrap().entries().unwrap().len() < 2 {
            n += 1;
            killed_while_saving(&path, &recording, way, usual * n / 25);
            left += unfinished(&Store::existing(&path).unwrap());
            let store = Store::open(&path).unwrap();
            assert_eq!(unfinished(&store), 0);
        }
        let store = Store::open(&path).unwrap();
        let entries = store.entries().unwrap();
        for entry in &entries {
            let (read, damage) = super::super::read(store.file(entry).unwrap()).unwrap();
            assert_eq!(damage, None, "{entry:?}");
            assert!(plain(&read) == plain(&recording), "{entry:?} holds something else");
            assert!(store.header(entry).unwrap().1, "{entry:?} has no end");
        }
        assert_eq!(fs::read_dir(&path).unwrap().count(), entries.len());
        assert_eq!(left > 0, leaves_something, "killed in the middle: {left}");
    }
}

fn killed_while_saving(path: &std::path::Path, recording: &Recording, way: Way, after: Duration) {
    // SAFETY: the child uses nothing that another thread may hold locked but memory, which the C library
    // unlocks for it, and it ends without running anything that the parent registered.
    match unsafe { fork() }.unwrap() {
        ForkResult::Child => {
            let _ = catch_unwind(AssertUnwindSafe(|| {
                let store = Store::open(path)?;
                loop {
                    way(&store, recording)?;
                }
                #[allow(unreachable_code, reason = "it tells the closure's type")]
                Ok::<(), Error>(())
            }));
            // SAFETY: it takes nothing but a number.
            unsafe { libc::_exit(1) }
        }
        ForkResult::Parent { child } => {
            sleep(after);
            kill(child, Signal::SIGKILL).unwrap();
            let ended = waitpid(child, None).unwrap();
            let killed = matches!(ended, nix::sys::wait::WaitStatus::Signaled(_, Signal::SIGKILL, _));
            assert!(killed, "saving failed: {ended:?}");
        }
    }
}

#[test]
fn a_directory_that_was_moved_is_still_written_to() {
    let place = tempfile::tempdir().unwrap();
    let (path, moved) = (place.path().join("dumps"), place.path().join("moved"));
    let store = Store::open(&path).unwrap();
    assert!(store.fd().as_raw_fd() > 2);
    fs::rename(&path, &moved).unwrap();
    fs::create_dir(&path).unwrap();
    store.save(&recording(1000)).unwrap();
    assert_eq!((fs::read_dir(&path).unwrap().count(), fs::read_dir(&moved).unwrap().count()), (0, 1));
}
