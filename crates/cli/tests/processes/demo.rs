//! The demo holds what it shows.

use crate::harness::World;

#[test]
fn the_demo_shows_that_all_holds() {
    let world = World::new();
    let person = world.stranger("somebody");
    let shown = person.does(&["demo"]);
    let checks = shown["checks"].as_array().unwrap();
    assert!(checks.len() > 5, "{shown}");
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
