//! Dumps on file systems that are full, read-only or broken: a clear word, and nothing lost that was there.

use std::{
    fs,
    os::{fd::AsRawFd, unix::fs::chown},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    mount::{MsFlags, mount},
    sched::{CloneFlags, unshare},
};
use traceloop::{
    model::{Block, Cause, Dump, Recording},
    store::{self, Amount, Retention, Saved, Store},
};

use super::support::TRACELOOP;

const NOTHING: Retention = Retention { max_use: None, keep_free: None, max_age: None };

/// A directory on which file systems can be mounted; they go with this thread.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        unshare(CloneFlags::CLONE_NEWNS).expect("a mount namespace: run as root");
        let none: Option<&str> = None;
        mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).expect("keep mounts to ourselves");
        Self(tempfile::tempdir().expect("a directory"))
    }

    fn tmpfs(options: &str) -> Self {
        let place = Self::new();
        mount(Some("none"), place.0.path(), Some("tmpfs"), MsFlags::empty(), Some(options)).expect("mount a tmpfs");
        place
    }

    fn directory(&self) -> PathBuf {
        self.0.path().join("dumps")
    }

    fn store(&self) -> Store {
        Store::open(&self.directory()).expect("open the store")
    }

    /// Takes everything that is left.
    fn fill(&self) {
        let written = fs::write(self.0.path().join("filler"), vec![0; 64 << 20]);
        assert!(written.is_err(), "there is room for more than a test wants to write");
    }

    fn read_only(&self) {
        let none: Option<&str> = None;
        let flags = MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
        mount(none, self.0.path(), none, flags, none).expect("make it read-only");
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new(TRACELOOP);
        command.args(args).arg("--directory").arg(self.directory()).stdin(Stdio::null());
        command.output().expect("run traceloop")
    }

    fn files(&self) -> usize {
        fs::read_dir(self.directory()).expect("list it").count()
    }
}

/// A dump of so many bytes that do not pack, made at that second.
fn recording(kib: usize, second: u64) -> Recording {
    let mut state = 1_u32;
    let mut record = |_| {
        let mut record = [0_u8; 64];
        for byte in &mut record {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *byte = state.to_be_bytes()[0];
        }
        record[4..8].copy_from_slice(&[64, 0, 7, 0]);
        record
    };
    let bytes = (0..kib * 16).flat_map(&mut record).collect();
    let dump = Dump { cause: Cause::Request, taken: second * 1_000_000_000, ..Dump::default() };
    Recording { dump, blocks: vec![Block::of(Some(0), 0, bytes)] }
}

#[track_caller]
fn must_be_whole(saved: &Saved) {
    let file = fs::File::open(&saved.path).expect("it is there");
    assert_eq!(store::read(file).expect("it can be read").1, None);
}

#[track_caller]
fn must_fail(result: anyhow::Result<Saved>, words: &[&str]) {
    let error = format!("{:#}", result.expect_err("it cannot be stored"));
    assert!(words.iter().all(|word| error.contains(word)), "{error}");
}

#[test]
#[ignore = "needs root and BPF"]
fn a_full_disk_costs_the_new_dump_only() {
    let place = Place::tmpfs("size=2M");
    let old = place.store().save(&recording(100, 1)).expect("store a dump");
    place.fill();
    let store = place.store();
    must_fail(store.save(&recording(100, 2)), &["No space left", "traceloop vacuum", "store a dump in"]);
    let without = store.keep(&recording(100, 2), &NOTHING).map(|kept| kept.saved);
    must_fail(without, &["No space left"]);
    must_be_whole(&old);
    assert_eq!(place.files(), 1);
}

#[test]
#[ignore = "needs root and BPF"]
fn a_policy_makes_room_on_a_full_disk() {
    let place = Place::tmpfs("size=2M");
    let store = place.store();
    let old: Vec<_> = (1..=3).map(|second| store.save(&recording(300, second)).expect("store a dump")).collect();
    place.fill();
    let policy = Retention { keep_free: Some(Amount::Bytes(500 << 10)), ..NOTHING };
    let kept = store.keep(&recording(300, 4), &policy).expect("store a dump");
    must_be_whole(&kept.saved);
    let left: Vec<bool> = old.iter().map(|saved| saved.path.exists()).collect();
    assert!(!left[0] && left.is_sorted(), "the oldest go first: {left:?}");
    assert_eq!(kept.given_up.len(), left.iter().filter(|left| !**left).count());
}

#[test]
#[ignore = "needs root and BPF"]
fn no_inode_for_it_is_told_as_that() {
    let place = Place::tmpfs("nr_inodes=6");
    let old = place.store().save(&recording(1, 1)).expect("store a dump");
    let filled = (0..9).find(|n| fs::write(place.0.path().join(n.to_string()), "").is_err());
    assert!(filled.is_some(), "there are inodes left");
    must_fail(place.store().save(&recording(1, 2)), &["no inodes are left"]);
    must_be_whole(&old);
    assert_eq!(place.files(), 1);
}

#[test]
#[ignore = "needs root and BPF"]
fn a_read_only_disk_can_be_read() {
    let place = Place::tmpfs("size=2M");
    let old = place.store().save(&recording(1, 1)).expect("store a dump");
    place.read_only();
    must_fail(place.store().save(&recording(1, 2)), &["read-only"]);
    for args in [&["list"][..], &["info"], &["show", "-1"], &["export", "-1"]] {
        let output = place.run(args);
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    for args in [&["delete", "-1"][..], &["vacuum", "--max-use", "0"]] {
        let output = place.run(args);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{args:?}: {told}");
        assert!(told.contains("read-only") && told.contains("remove "), "{args:?}: {told}");
    }
    must_be_whole(&old);
}

/// An ext4 on a disk of 64 MiB that has fewer behind it.
struct Disk {
    place: Place,
}

impl Disk {
    fn new() -> Self {
        let disk = Self { place: Place::tmpfs("size=4M") };
        let file = fs::File::create(disk.image()).expect("make a disk");
        file.set_len(64 << 20).expect("make it large");
        let made = Command::new("mkfs.ext4").args(["-q", "-O", "^has_journal"]).arg(disk.image()).status();
        assert!(made.expect("run mkfs.ext4").success());
        fs::create_dir(disk.point()).expect("make a directory");
        disk.mount();
        disk
    }

    fn image(&self) -> PathBuf {
        self.place.0.path().join("image")
    }

    fn point(&self) -> PathBuf {
        self.place.0.path().join("disk")
    }

    fn mount(&self) {
        let mounted = Command::new("mount").args(["-o", "loop"]).arg(self.image()).arg(self.point()).status();
        assert!(mounted.expect("run mount").success());
    }

    fn unmount(&self) {
        let until = Instant::now() + Duration::from_secs(10);
        // A child that another test has just forked has its descriptors until it becomes another program.
        while let Err(error) = nix::mount::umount(&self.point()) {
            assert!(error == Errno::EBUSY && Instant::now() < until, "unmount it: {error}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn store(&self) -> Store {
        Store::open(&self.point().join("dumps")).expect("open the store")
    }

    /// From now on its file system can do nothing.
    fn shut_down(&self) {
        const FS_IOC_SHUTDOWN: libc::c_ulong = 0x8004_587d;
        let root = fs::File::open(self.point()).expect("open it");
        let flags = 0_u32;
        // SAFETY: the number is read, nothing is written.
        let done = unsafe { libc::ioctl(root.as_raw_fd(), FS_IOC_SHUTDOWN, &raw const flags) };
        assert_eq!(done, 0, "{}", std::io::Error::last_os_error());
    }
}

/// Writing fails when the data is to be brought to the disk, not before.
#[test]
#[ignore = "needs root and BPF"]
fn a_disk_that_promised_too_much_gives_no_dump_and_keeps_the_old_ones() {
    let disk = Disk::new();
    let store = disk.store();
    let old = store.save(&recording(100, 1)).expect("store a dump");
    must_fail(store.save(&recording(8 << 10, 2)), &["bring the dump to the disk", "No space left"]);
    must_be_whole(&old);
    assert_eq!(store.entries().expect("list it").len(), 1);
}

#[test]
#[ignore = "needs root and BPF"]
fn a_broken_disk_gives_no_dump_and_keeps_the_old_ones() {
    let disk = Disk::new();
    let store = disk.store();
    let old = store.save(&recording(100, 1)).expect("store a dump");
    disk.shut_down();
    must_fail(store.save(&recording(100, 2)), &["I/O error", "dmesg"]);
    drop(store);
    disk.unmount();
    disk.mount();
    must_be_whole(&old);
    assert_eq!(disk.store().entries().expect("list it").len(), 1);
}

#[test]
#[ignore = "needs root and BPF"]
fn a_directory_of_somebody_else_is_not_used() {
    let place = Place::new();
    place.store();
    chown(place.directory(), Some(65534), None).expect("give it away");
    let error = Store::open(&place.directory()).expect_err("it is not ours");
    assert!(format!("{error:#}").contains("belongs to user 65534"), "{error:#}");
    assert!(Path::new(&place.directory()).exists());
}
