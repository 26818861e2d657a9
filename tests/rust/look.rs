//! A look at a store while another process writes to it.

use std::path::Path;
use std::sync::Mutex;

use prompt_manager::prompt::Prompt;
use prompt_manager::store::encoding::Encoding;
use prompt_manager::store::file::FileStore;
use prompt_manager::store::{ListFilter, StoreCache};
use prompt_manager::template::{EmptyLibrary, KeptLibrary, Library, Template, TemplateOptions};

/// The helpers of the process that looks. Writes to the store when a version is compiled, as another process could.
struct Interrupted<'w> {
    /// The writes that are left, the last one first.
    writes: Mutex<Vec<&'w (dyn Fn() + Sync)>>,
}

impl Library<Box<str>> for Interrupted<'_> {
    fn partial(&self, _: &str) -> Option<Template<Box<str>>> {
        None
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }

    fn has_helper(&self, _: &str) -> bool {
        let next = self.writes.lock().unwrap().pop();
        if let Some(write) = next {
            write();
        }
        false
    }

    fn kept(&self) -> KeptLibrary<Box<str>> {
        Box::new(EmptyLibrary)
    }
}

fn store(root: &Path) -> FileStore {
    FileStore::new(root.to_owned(), Encoding::Json, true)
}

fn save(store: &FileStore, version: &str) {
    let prompt = serde_json::json!({
        "id": "greeting", "version": version, "status": "active", "template": format!("{{{{name}}}} {version}"),
    });
    let prompt: Prompt = serde_json::from_value(prompt).expect("a prompt");
    store.save(&prompt).expect("it can be saved");
}

/// The version that a look finds for the label, if these writes come while it compiles.
fn labelled(root: &Path, cache: &mut StoreCache<Box<str>>, writes: &[&(dyn Fn() + Sync)]) -> Option<String> {
    let writes = Mutex::new(writes.iter().rev().copied().collect());
    let library = Interrupted { writes };
    let change =
        store(root).look(&TemplateOptions::default(), &library, cache).expect("the store can be read");
    assert!(change.errors.is_empty(), "{:?}", change.errors);
    let moves = change.labels.get("greeting").expect("the prompt changed");
    let found = change.new.iter().map(|compiled| &compiled.prompt().version);
    let found =
        found.filter(|version| moves.of(version, &[]).is_some()).map(ToString::to_string).collect::<Vec<_>>();
    *cache = change.cache;
    assert!(found.len() < 2, "{found:?}");
    found.into_iter().next()
}

#[test]
fn a_label_that_moves_to_a_version_that_came_during_the_look_is_not_lost() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    let writer = store(root);
    let publish = |version: &str| {
        save(&writer, version);
        writer.set_label("greeting", "production", Some(version), None).expect("it can be labelled");
    };
    publish("1.0.0");
    let mut cache = StoreCache::default();
    assert_eq!(labelled(root, &mut cache, &[&|| publish("1.0.1")]).as_deref(), Some("1.0.1"));
    publish("1.0.2");
    // Two processes, one after the other, and the oldest version goes.
    let replace = || {
        publish("1.0.4");
        writer.delete("greeting", Some("1.0.2")).expect("it can be deleted");
    };
    assert_eq!(labelled(root, &mut cache, &[&|| publish("1.0.3"), &replace]).as_deref(), Some("1.0.4"));
}

#[test]
fn a_label_of_a_version_that_was_deleted_by_hand_points_nowhere() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    let writer = store(root);
    save(&writer, "1.0.0");
    save(&writer, "1.0.1");
    writer.set_label("greeting", "production", Some("1.0.1"), None).expect("it can be labelled");
    let mut cache = StoreCache::default();
    assert_eq!(labelled(root, &mut cache, &[]).as_deref(), Some("1.0.1"));
    std::fs::remove_file(root.join("greeting").join("1.0.1.json")).expect("the file is there");
    assert_eq!(labelled(root, &mut cache, &[]), None);
}

#[test]
fn a_list_loses_no_label_that_moves_meanwhile() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    let writer = store(root);
    let publish = |number: usize| {
        let version = format!("1.0.{number}");
        save(&writer, &version);
        writer.set_label("greeting", "production", Some(&version), None).expect("it can be labelled");
    };
    publish(0);
    // Other files that take longer to read than a label to move.
    let content = std::fs::read_to_string(root.join("greeting/1.0.0.json")).unwrap();
    std::fs::create_dir(root.join("other")).unwrap();
    for number in 0..2000 {
        let content = content.replace("greeting", "other").replace("1.0.0", &format!("1.0.{number}"));
        std::fs::write(root.join(format!("other/1.0.{number}.json")), content).unwrap();
    }
    std::thread::scope(|scope| {
        let moving = scope.spawn(|| (1..60).for_each(publish));
        while !moving.is_finished() {
            let listed = writer.list(&ListFilter::default()).expect("the store can be read");
            assert!(listed.errors.is_empty(), "{:?}", listed.errors);
            let labelled = listed.prompts.iter().filter(|prompt| prompt.labels == ["production"]);
            assert_eq!(labelled.count(), 1);
        }
    });
}
