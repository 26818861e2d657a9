//! Atomic writes of files, and the lock that admits one writer at a time.

mod look;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use prompt_manager::Kind;
use prompt_manager::store::atomic;
use prompt_manager::store::lock::{DEFAULT_LOCK_TIMEOUT, Lock};
use tempfile::{TempDir, tempdir};

const SOON: Duration = Duration::from_millis(50);

fn directory() -> TempDir {
    tempdir().expect("a directory for the test")
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .expect("the directory can be read")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
        .collect();
    names.sort();
    names
}

#[test]
fn a_file_is_replaced_and_nothing_else_is_left() {
    let directory = directory();
    let path = directory.path().join("file");
    for text in ["first", "", "third"] {
        atomic::write(&path, text.as_bytes()).expect("the file can be written");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
    assert_eq!(names(directory.path()), ["file"]);
}

#[test]
fn a_failed_write_names_the_file_and_changes_nothing() {
    let directory = directory();
    let taken = directory.path().join("taken");
    fs::create_dir(&taken).unwrap();
    fs::write(taken.join("inside"), "kept").unwrap();
    for path in [taken.clone(), directory.path().join("missing/file")] {
        let error = atomic::write(&path, b"text").expect_err("it cannot be written");
        assert_eq!(error.kind(), Kind::StorageWrite);
        assert!(error.message().contains(&path.display().to_string()), "{}", error.message());
    }
    assert_eq!(names(directory.path()), ["taken"]);
    assert_eq!(fs::read_to_string(taken.join("inside")).unwrap(), "kept");
}

#[cfg(unix)]
#[test]
fn a_file_keeps_its_permissions() {
    use std::os::unix::fs::PermissionsExt;

    let directory = directory();
    let (ours, usual) = (directory.path().join("ours"), directory.path().join("usual"));
    fs::write(&usual, "").unwrap();
    let mode = |path: &PathBuf| fs::metadata(path).unwrap().permissions().mode();
    atomic::write(&ours, b"1").unwrap();
    assert_eq!(mode(&ours), mode(&usual));
    fs::set_permissions(&ours, fs::Permissions::from_mode(0o600)).unwrap();
    atomic::write(&ours, b"2").unwrap();
    assert_eq!(mode(&ours) & 0o777, 0o600);
}

#[cfg(unix)]
#[test]
fn a_link_is_replaced_and_its_target_is_unchanged() {
    let directory = directory();
    let (link, target) = (directory.path().join("link"), directory.path().join("target"));
    fs::write(&target, "theirs").unwrap();
    std::os::unix::fs::symlink(&target, &link).unwrap();
    atomic::write(&link, b"ours").unwrap();
    assert_eq!(fs::read_to_string(&target).unwrap(), "theirs");
    assert!(!link.is_symlink());
}

#[test]
fn only_leftovers_of_killed_writers_are_removed() {
    let directory = directory();
    for name in [".saving-Ab12Cd.tmp", ".labels.json", "1.0.0.json", ".lock"] {
        fs::write(directory.path().join(name), "").unwrap();
    }
    atomic::sweep(directory.path());
    assert_eq!(names(directory.path()), [".labels.json", ".lock", "1.0.0.json"]);
}

#[test]
fn many_threads_can_create_one_directory() {
    let directory = directory();
    let deep = directory.path().join("a/b/c/d");
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| atomic::make_directory(&deep).expect("the directory can be made"));
        }
    });
    assert!(deep.is_dir());
    fs::write(directory.path().join("file"), "").unwrap();
    let error =
        atomic::make_directory(&directory.path().join("file/below")).expect_err("a file is in the way");
    assert_eq!(error.kind(), Kind::StorageWrite);
}

#[test]
fn a_lock_has_one_holder_at_a_time() {
    let directory = directory();
    let path = directory.path().join("prompt/.lock");
    let holders = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for round in 0..20 {
                    let lock = Lock::take(&path, DEFAULT_LOCK_TIMEOUT).expect("the lock comes free");
                    assert_eq!(holders.fetch_add(1, Ordering::SeqCst), 0);
                    thread::yield_now();
                    holders.fetch_sub(1, Ordering::SeqCst);
                    if round % 5 == 0 {
                        lock.remove().expect("the lock file can be removed");
                    }
                }
            });
        }
    });
}

#[test]
fn a_lock_timeout_names_the_lock_file() {
    let directory = directory();
    let path = directory.path().join(".lock");
    let held = Lock::take(&path, DEFAULT_LOCK_TIMEOUT).unwrap();
    let error = Lock::take(&path, SOON).expect_err("it is held");
    assert_eq!(error.kind(), Kind::StorageWrite);
    assert!(error.message().contains(&path.display().to_string()), "{}", error.message());
    drop(held);
    Lock::take(&path, SOON).expect("it is free");
}

#[cfg(unix)]
#[test]
fn a_lock_file_that_is_a_link_is_refused() {
    let directory = directory();
    let (path, elsewhere) = (directory.path().join(".lock"), directory.path().join("elsewhere"));
    std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
    let error = Lock::take(&path, SOON).expect_err("a link could lead anywhere");
    assert!(error.message().contains("it is a link"), "{}", error.message());
    assert!(!elsewhere.exists());
}
