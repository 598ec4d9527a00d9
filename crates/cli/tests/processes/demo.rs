//! The demo holds what it shows.

use serde_json::Value;

use crate::harness::World;

#[test]
fn the_demo_shows_that_all_holds() {
    let world = World::new();
    let person = world.stranger("somebody");
    let shown = person.does(&["demo"]);
    let checks = shown["checks"].as_array().unwrap();
    assert_eq!(checks.len(), 17, "{shown}");
    let by_link = |check: &&Value| {
        check["name"]
            .as_str()
            .is_some_and(|it| it.contains("by a link"))
    };
    assert_eq!(checks.iter().filter(by_link).count(), 1, "{shown}");
    assert!(checks.iter().all(|check| check["ok"] == true), "{shown}");

    let words = person.plain(&["demo"]);
    assert!(
        words
            .ok()
            .out
            .contains(&format!("all {} held", checks.len()))
    );
    assert_eq!(
        world.files().len(),
        1,
        "it leaves nothing but our log: {:?}",
        world.files()
    );
}
