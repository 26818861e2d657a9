//! The generation file of a store: other after each change, and healed after any damage.

use super::{GENERATION, Generation, GenerationChange, parse, token};

fn write(root: &std::path::Path) {
    drop(GenerationChange::begin(root));
}

#[test]
fn every_change_gives_another_generation_with_a_greater_number() {
    let root = tempfile::tempdir().unwrap();
    assert_eq!(Generation::read(root.path()), None);
    let mut seen = Vec::new();
    for _ in 0..20 {
        write(root.path());
        let generation = Generation::read(root.path()).unwrap();
        assert!(!seen.contains(&generation));
        seen.push(generation);
    }
    let numbers: Vec<_> = seen.iter().map(|each| parse(&each.text).unwrap().0).collect();
    assert!(numbers.is_sorted_by(|one, other| one < other));
    assert_eq!(Generation::read(root.path()), seen.last().cloned());
    assert_ne!(token(), token());
}

#[test]
fn a_change_that_is_going_on_or_was_killed_tells_nothing() {
    let root = tempfile::tempdir().unwrap();
    write(root.path());
    let change = GenerationChange::begin(root.path());
    assert_eq!(Generation::read(root.path()), None);
    std::mem::forget(change);
    assert_eq!(Generation::read(root.path()), None);
    write(root.path());
    assert!(Generation::read(root.path()).is_some());
}

#[test]
fn a_lost_or_damaged_file_tells_nothing_and_the_next_change_heals_it() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join(GENERATION);
    write(root.path());
    let before = parse(&std::fs::read_to_string(&path).unwrap()).unwrap().0;
    for damage in [
        "",
        "7",
        "7 abc",
        "7 abc settled",
        "x abc settled\n",
        "7  settled\n",
        "7 abc settled more\n",
        "\u{0}\n",
    ] {
        std::fs::write(&path, damage).unwrap();
        assert_eq!(Generation::read(root.path()), None, "{damage:?}");
    }
    write(root.path());
    assert!(parse(&std::fs::read_to_string(&path).unwrap()).unwrap().0 > before);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(Generation::read(root.path()), None);
}

#[test]
fn a_file_that_was_restored_is_another_generation() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join(GENERATION);
    write(root.path());
    let (seen, text) = (Generation::read(root.path()).unwrap(), std::fs::read(&path).unwrap());
    write(root.path());
    std::fs::remove_file(&path).unwrap();
    std::fs::write(root.path().join("backup"), text).unwrap();
    std::fs::rename(root.path().join("backup"), &path).unwrap();
    let restored = Generation::read(root.path()).unwrap();
    assert_eq!(restored.text, seen.text);
    assert_ne!(restored, seen);
}
