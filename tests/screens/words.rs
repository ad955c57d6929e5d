//! Every text that the sources ask for is there, in every language.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use regi::domain::command::COMMANDS;
use regi::domain::refusal::RefusalCode;
use regi::domain::sale::TenderKind;
use regi::domain::tax_free::Status;
use regi::screens::read_words;

fn keys(files: &[&str]) -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("languages");
    let mut keys = BTreeSet::new();
    for file in files {
        let text = std::fs::read_to_string(root.join(file)).unwrap();
        for (key, _) in read_words(file, &text).unwrap() {
            assert!(keys.insert(key.clone()), "{key} stands twice");
        }
    }
    keys
}

fn english() -> BTreeSet<String> {
    keys(&["en.toml", "papers.en.toml", "cli.en.toml"])
}

#[test]
fn both_languages_have_the_same_keys() {
    let (ja, en) = (keys(&["ja.toml", "papers.ja.toml", "cli.ja.toml"]), english());
    assert_eq!(ja.difference(&en).collect::<Vec<_>>(), Vec::<&String>::new(), "only Japanese");
    assert_eq!(en.difference(&ja).collect::<Vec<_>>(), Vec::<&String>::new(), "only English");
}

#[test]
fn both_languages_fill_in_the_same_values() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("languages");
    let read = |file: &str| {
        let text = std::fs::read_to_string(root.join(file)).unwrap();
        read_words(file, &text).unwrap()
    };
    let gaps = |text: &str| -> BTreeSet<String> {
        text.split('{')
            .skip(1)
            .filter_map(|part| part.split_once('}'))
            .map(|(gap, _)| gap.to_owned())
            .collect()
    };
    for room in ["", "papers.", "cli."] {
        let japanese: BTreeMap<_, _> = read(&format!("{room}ja.toml")).into_iter().collect();
        for (key, english) in read(&format!("{room}en.toml")) {
            assert_eq!(gaps(&japanese[&key]), gaps(&english), "{key}");
        }
    }
}

#[test]
fn every_text_asked_for_in_parts_is_there() {
    let keys = english();
    for reason in ["reasons", "void_reasons", "customer_kinds"] {
        assert!(keys.contains(reason), "{reason}");
    }
    for kind in TenderKind::ALL.iter().filter(|kind| TenderKind::from_word(kind.word()).is_some()) {
        for room in ["tender", "kind"] {
            let key = format!("{room}.{}", kind.word());
            assert!(keys.contains(&key), "{key}");
        }
    }
    // What is said after an act is said after a command that there is.
    for key in keys.iter().filter_map(|key| key.strip_prefix("done.")) {
        assert!(COMMANDS.iter().any(|spec| spec.name == key), "done.{key}");
    }
    // Why a folder or a backup cannot be used stands within a sentence of its language.
    let reasons = asked_for(&["StoreError::Folder(\"", "StoreError::Backup(\""]);
    assert!(reasons.len() > 20, "the reader finds them: {}", reasons.len());
    for reason in reasons {
        assert!(keys.contains(&format!("what.{reason}")), "what.{reason}");
    }
    for status in Status::ALL {
        let key = format!("tax_free.{}", status.word());
        assert!(keys.contains(&key), "{key}");
    }
    let needs = asked_for(&["needs.push(\""]);
    assert!(!needs.is_empty());
    for need in needs {
        assert!(keys.contains(&format!("need.{need}")), "need.{need}");
    }
}

#[test]
fn every_text_asked_for_by_name_is_there() {
    let keys = english();
    let calls = [
        "words.get(\"",
        "words.fill(\"",
        ".word(\"",
        ".say(\"",
        "say_refusal(\"",
        "wrong(\"",
        "Turn::say(\"",
    ];
    let asked = asked_for(&calls);
    assert!(asked.len() > 100, "the reader finds them: {}", asked.len());
    // A key put together from parts ends in the point before its last.
    let missing: Vec<_> =
        asked.iter().filter(|key| !key.contains('{') && !keys.contains(*key)).collect();
    assert_eq!(missing, Vec::<&String>::new());
}

#[test]
fn every_command_and_refusal_has_its_text() {
    let keys = english();
    for spec in COMMANDS {
        assert!(keys.contains(&format!("help.{}", spec.name)), "{}", spec.name);
        assert!(keys.contains(spec.group.key()), "{}", spec.group.key());
    }
    for code in RefusalCode::ALL {
        assert!(keys.contains(code.word()), "{}", code.word());
    }
}

/// Reads the texts between `opening` and the next quote, in every source outside its tests.
fn literals(folder: &Path, opening: &str, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            literals(&path, opening, found);
            continue;
        }
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let source = text.split("#[cfg(test)]").next().unwrap_or_default();
        let joined: String = source.split('\n').map(str::trim).collect();
        for rest in joined.split(opening).skip(1) {
            found.extend(rest.split('"').next().map(str::to_owned));
        }
    }
}

fn asked_for(openings: &[&str]) -> BTreeSet<String> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = BTreeSet::new();
    for opening in openings {
        literals(&sources, opening, &mut found);
    }
    found
}

#[test]
fn every_sentence_that_a_refusal_names_is_there() {
    let keys = english();
    let helpers =
        [".saying(\"", "pin_refusal(\"", "receipt_refusal(\"", "coupon_refusal(\"", " points(\""];
    let named = asked_for(&helpers);
    assert!(named.len() > 40, "the reader finds them: {}", named.len());
    let missing: Vec<_> = named.iter().filter(|key| !keys.contains(*key)).collect();
    assert_eq!(missing, Vec::<&String>::new());
}

/// Whether a text has the shape of a key: words of small letters joined by points.
fn is_key(text: &str) -> bool {
    let word = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    text.contains('.') && text.split('.').all(word)
}

#[test]
fn every_text_that_the_sources_ask_for_is_there() {
    let keys = english();
    let rooms: BTreeSet<_> =
        keys.iter().filter_map(|key| key.split_once('.')).map(|k| k.0).collect();
    let literals = asked_for(&["\""]);
    let asked: Vec<_> = literals
        .iter()
        .filter(|text| is_key(text))
        .filter(|text| rooms.contains(text.split('.').next().unwrap_or_default()))
        .filter(|text| !text.ends_with(".toml") && !text.ends_with(".csv"))
        .collect();
    assert!(asked.len() > 250, "the reader finds them: {}", asked.len());
    let missing: Vec<_> = asked.iter().filter(|key| !keys.contains(**key)).collect();
    assert_eq!(missing, Vec::<&&String>::new());
}

#[test]
fn every_keymap_label_has_its_text() {
    let keys = english();
    for (file, text) in regi::screens::KEYMAPS {
        for label in text.split("label = \"").skip(1).filter_map(|rest| rest.split('"').next()) {
            let known = keys.contains(label) || label == "key.word";
            assert!(known, "{file}: {label}");
        }
    }
}
