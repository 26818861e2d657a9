//! Labels: valid names, and the target of a rollback.

use jiff::Timestamp;
use prompt_manager::Kind;
use prompt_manager::prompt::{Version, check_label};
use prompt_manager::store::{LabelMove, Labels};

fn version(text: &str) -> Option<Version> {
    (text != "-").then(|| text.parse().expect("a version"))
}

/// The moves of a label along these versions; `-` removes the label.
fn moves(along: &[&str]) -> Labels {
    let mut labels = Labels::default();
    for pair in along.windows(2) {
        labels.push(LabelMove {
            label: "production".to_owned(),
            version: version(pair[1]),
            previous: version(pair[0]),
            moved_at: Timestamp::UNIX_EPOCH,
            author: None,
        });
    }
    labels
}

#[test]
fn a_rollback_goes_one_step_further_back_each_time() {
    let cases: [(&[&str], Option<&str>); 11] = [
        (&["-", "1.0.0", "2.0.0"], Some("1.0.0")),
        (&["1.0.0", "2.0.0"], Some("1.0.0")),
        (&["-", "1.0.0", "2.0.0", "3.0.0"], Some("2.0.0")),
        (&["-", "1.0.0", "2.0.0", "3.0.0", "2.0.0"], Some("1.0.0")),
        (&["-", "1.0.0", "2.0.0", "3.0.0", "2.0.0", "4.0.0"], Some("2.0.0")),
        (&["-", "1.0.0", "2.0.0", "-"], Some("2.0.0")),
        (&["-", "1.0.0", "-", "2.0.0"], Some("1.0.0")),
        (&["-", "1.0.0", "2.0.0", "1.0.0"], None),
        (&["-", "1.0.0"], None),
        (&["-", "1.0.0", "2.0.0", "-", "1.0.0"], Some("2.0.0")),
        (&["-"], None),
    ];
    for (along, expected) in cases {
        let before = moves(along).rollback_target("greeting", "production", |_| true);
        match (before, expected) {
            (Ok(found), Some(expected)) => assert_eq!(found.to_string(), expected, "{along:?}"),
            (Err(error), None) => assert_eq!(error.kind(), Kind::VersionNotFound, "{along:?}"),
            (found, _) => panic!("{along:?}: {found:?}"),
        }
    }
}

#[test]
fn a_rollback_skips_deleted_versions() {
    let moves = moves(&["-", "1.0.0", "2.0.0", "3.0.0"]);
    let left = moves.rollback_target("greeting", "production", |version| version.major() != 2);
    assert_eq!(left.expect("one is left").to_string(), "1.0.0");
    assert!(moves.rollback_target("greeting", "production", |_| false).is_err());
}

#[test]
fn a_rollback_after_one_that_skipped_versions_goes_further_back() {
    let cases: [(&[&str], &[u64], Option<&str>); 4] = [
        (&["-", "1.0.0", "2.0.0", "3.0.0", "4.0.0", "2.0.0"], &[3], Some("1.0.0")),
        (&["-", "1.0.0", "2.0.0", "3.0.0", "4.0.0", "1.0.0"], &[2, 3], None),
        (&["-", "1.0.0", "2.0.0", "-", "3.0.0", "2.0.0"], &[], Some("1.0.0")),
        (&["-", "1.0.0", "-", "2.0.0", "1.0.0"], &[], None),
    ];
    for (along, deleted, expected) in cases {
        let before = moves(along)
            .rollback_target("greeting", "production", |version| !deleted.contains(&version.major()));
        assert_eq!(before.ok().map(|version| version.to_string()).as_deref(), expected, "{along:?}");
    }
}

#[test]
fn a_rollback_never_stays_where_the_label_is() {
    let moves = moves(&["-", "1.0.0", "2.0.0", "-", "1.0.0"]);
    let left = moves.rollback_target("greeting", "production", |version| version.major() != 2);
    assert_eq!(left.expect_err("version 2.0.0 is deleted").kind(), Kind::VersionNotFound);
}

#[test]
fn history_stays_in_order_if_the_clock_goes_backwards() {
    let mut labels = Labels::default();
    for second in [20, 10, 30] {
        labels.push(LabelMove {
            label: format!("at-{second}"),
            version: version("1.0.0"),
            previous: None,
            moved_at: Timestamp::from_second(second).expect("a time"),
            author: None,
        });
    }
    let times: Vec<i64> = labels.history(None).iter().map(|made| made.moved_at.as_second()).collect();
    assert_eq!(times, [20, 20, 30]);
}

#[test]
fn invalid_label_names_are_refused() {
    for name in ["production", "a", "7", "team_x-1.b", &"x".repeat(255)] {
        check_label(name).expect(name);
    }
    for name in ["", " ", "a b", "-a", ".a", "a/b", "é", "1.0.0", "2.0.0-rc.1", &"x".repeat(256)] {
        assert_eq!(check_label(name).expect_err(name).kind(), Kind::PromptInvalid, "{name}");
    }
}
