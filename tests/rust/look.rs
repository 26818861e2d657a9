//! A look at a store, or a load of a directory, while another process writes to it.

use std::path::Path;
use std::sync::Mutex;

use prompt_manager::prompt::Prompt;
use prompt_manager::store::directory;
use prompt_manager::store::encoding::Encoding;
use prompt_manager::store::file::FileStore;
use prompt_manager::store::{ListFilter, StoreCache};
use prompt_manager::template::{EmptyLibrary, KeptLibrary, Library, Template, TemplateOptions};

type Write<'w> = (&'w str, &'w (dyn Fn() + Sync));

/// The helpers of the process that looks. Writes to the store when a version is compiled, as another process could.
struct Interrupted<'w> {
    /// The writes that are left, the last one first, each with the variable of the template at which it comes.
    writes: Mutex<Vec<Write<'w>>>,
}

impl Library<Box<str>> for Interrupted<'_> {
    fn partial(&self, _: &str) -> Option<Template<Box<str>>> {
        None
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }

    fn has_helper(&self, name: &str) -> bool {
        let next = self.writes.lock().unwrap().pop_if(|(variable, _)| *variable == name);
        if let Some((_, write)) = next {
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
    let writes = Mutex::new(writes.iter().rev().map(|write| ("name", *write)).collect());
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
        publish("1.0.3");
        publish("1.0.4");
        writer.delete("greeting", Some("1.0.2")).expect("it can be deleted");
    };
    assert_eq!(labelled(root, &mut cache, &[&replace]).as_deref(), Some("1.0.4"));
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

/// The version to which a load of a directory points the label, if these writes come while it compiles.
fn loaded_label(root: &Path, writes: &[Write<'_>]) -> Result<String, String> {
    let library = Interrupted { writes: Mutex::new(writes.iter().rev().copied().collect()) };
    let loaded =
        directory::load(root, None, &TemplateOptions::default(), &library).expect("it can be listed");
    assert!(library.writes.into_inner().unwrap().is_empty());
    let errors: Vec<_> = loaded.errors.iter().map(ToString::to_string).collect();
    if !errors.is_empty() {
        return Err(errors.join("; "));
    }
    let moves = &loaded.labels.expect("the labels can be read")["greeting"];
    let version = moves.history(Some("production")).pop().and_then(|made| made.version);
    Ok(version.expect("it points somewhere").to_string())
}

/// Writes a version whose template has the variable `patch_N`.
fn write_version(root: &Path, patch: usize) {
    let text = format!("id: greeting\nversion: 1.0.{patch}\ntemplate: '{{{{patch_{patch}}}}}'\n");
    std::fs::write(root.join(format!("{patch}.yaml")), text).expect("it can be written");
}

fn write_label(root: &Path, version: &str) {
    let text = format!("labels: {{greeting: {{production: {version}}}}}\n");
    std::fs::write(root.join("labels.yaml"), text).expect("it can be written");
}

fn publish(root: &Path, patch: usize) {
    write_version(root, patch);
    write_label(root, &format!("1.0.{patch}"));
}

#[test]
fn a_version_that_comes_with_its_label_during_a_load_is_no_error() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    publish(root, 5);
    assert_eq!(loaded_label(root, &[("patch_5", &|| publish(root, 6))]).as_deref(), Ok("1.0.6"));
    // Two releases, one after the other, and the older version goes before it is read.
    let release = || {
        write_version(root, 7);
        publish(root, 8);
    };
    let replace = || {
        publish(root, 9);
        std::fs::remove_file(root.join("8.yaml")).expect("the file is there");
    };
    assert_eq!(loaded_label(root, &[("patch_6", &release), ("patch_7", &replace)]).as_deref(), Ok("1.0.9"));
}

#[test]
fn a_file_that_goes_during_a_load_is_no_error() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    publish(root, 0);
    write_version(root, 1);
    let remove = || std::fs::remove_file(root.join("1.yaml")).expect("the file is there");
    assert_eq!(loaded_label(root, &[("patch_0", &remove)]).as_deref(), Ok("1.0.0"));
}

#[test]
fn a_partial_that_comes_with_its_prompt_during_a_load_is_no_error() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    publish(root, 0);
    write_version(root, 1);
    let include = || {
        std::fs::create_dir(root.join("partials")).unwrap();
        std::fs::write(root.join("partials/signature.hbs"), "Bo").unwrap();
        let text = "id: greeting\nversion: 1.0.1\ntemplate: '{{> signature}}'\n";
        std::fs::write(root.join("1.yaml"), text).unwrap();
    };
    assert_eq!(loaded_label(root, &[("patch_0", &include)]).as_deref(), Ok("1.0.0"));
}

#[test]
fn a_label_of_a_version_that_does_not_exist_is_one_error() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    publish(root, 0);
    write_label(root, "3.0.0");
    let wrong = "label 'production' of prompt 'greeting' points at version 3.0.0, which does not exist";
    assert_eq!(loaded_label(root, &[]), Err(wrong.to_owned()));
}
