//! Proves the arrows between rooms: reads every `crate::` path and fails on any other.

use std::fs;
use std::path::{Path, PathBuf};

/// What each room may use besides itself.
const ARROWS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("store", &["domain"]),
    ("devices", &["domain"]),
    ("screens", &["domain"]),
    ("reports", &["domain"]),
    ("exchange", &["domain"]),
    ("app", &["domain", "store", "devices", "screens", "reports", "exchange"]),
    ("cli", &["domain", "store", "devices", "screens", "reports", "exchange", "app"]),
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a source folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found
}

/// Rooms named by `crate::ROOM` or `regi::ROOM` in a source, with their lines.
fn rooms_used(source: &str) -> Vec<(usize, String)> {
    let mut used = Vec::new();
    for (place, line) in source.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        for marker in ["crate::", "regi::"] {
            for (at, _) in code.match_indices(marker) {
                let rest = &code[at + marker.len()..];
                let names: Vec<&str> = match rest.strip_prefix('{') {
                    Some(group) => group.split(['}', ',']).map(str::trim).collect(),
                    None => vec![rest],
                };
                for name in names {
                    let room = name.chars().take_while(|c| c.is_alphanumeric() || *c == '_');
                    used.push((place + 1, room.collect()));
                }
            }
        }
    }
    used
}

fn broken_arrows(room: &str, path: &Path, source: &str) -> Vec<String> {
    let (_, allowed) = ARROWS.iter().find(|(name, _)| *name == room).expect("a known room");
    let is_room = |name: &str| ARROWS.iter().any(|(room, _)| *room == name);
    rooms_used(source)
        .into_iter()
        .filter(|(_, used)| is_room(used) && used != room && !allowed.contains(&used.as_str()))
        .map(|(line, used)| format!("{}:{line}: {room} may not use {used}", path.display()))
        .collect()
}

#[test]
fn every_arrow_between_rooms_is_allowed() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut broken = Vec::new();
    for (room, _) in ARROWS {
        let files = sources(&src.join(room));
        assert!(!files.is_empty(), "{room} has files");
        for path in files {
            let source = fs::read_to_string(&path).expect("a source file");
            broken.extend(broken_arrows(room, &path, &source));
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn every_file_opens_with_what_it_is() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let silent: Vec<_> = sources(&src)
        .into_iter()
        .filter(|path| !fs::read_to_string(path).expect("a source file").starts_with("//!"))
        .collect();
    assert!(silent.is_empty(), "files without a header: {silent:?}");
}

#[test]
fn a_forbidden_arrow_is_seen() {
    let source = "use crate::domain::money::Money;\nuse crate::{store::Shop, domain};\n";
    let broken = broken_arrows("screens", Path::new("x.rs"), source);
    assert_eq!(broken, ["x.rs:2: screens may not use store"]);
}
