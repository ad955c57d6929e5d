//! What the README names exists: commands, subcommands, options, files, keys of settings.
//!
//! Room: tests. May touch: the README, the repository's files, the binary's help.
//! Invariant: a name in the README that regi does not know is a failure, not an oversight.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use regi::domain::command::COMMANDS;
use regi::domain::refusal::RefusalCode;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn readme() -> String {
    std::fs::read_to_string(root().join("README.md")).expect("the README")
}

/// The part of the README from a heading to the next of its depth or above.
fn part<'a>(readme: &'a str, heading: &str) -> &'a str {
    let depth = heading.split(' ').next().expect("signs of a heading");
    let start = readme.find(&format!("\n{heading}\n")).expect(heading) + heading.len() + 2;
    let rest = &readme[start..];
    let ends =
        (1..=depth.len()).filter_map(|depth| rest.find(&format!("\n{} ", "#".repeat(depth))));
    &rest[..ends.min().unwrap_or(rest.len())]
}

/// The fenced blocks of a language, each without its fences.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    let after = text.split(fence.as_str()).skip(1);
    after.map(|block| block.split("```").next().unwrap_or_default()).collect()
}

/// What stands between single backticks, outside of blocks.
fn quoted(text: &str) -> Vec<&str> {
    let prose = text.split("```").step_by(2);
    prose.flat_map(|prose| prose.split('`').skip(1).step_by(2)).collect()
}

fn help_of(words: &[&str]) -> Option<String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_regi"));
    let output = command.args(["--lang", "en"]).args(words).arg("--help").output();
    let output = output.expect("regi runs");
    output.status.success().then(|| String::from_utf8(output.stdout).expect("UTF-8"))
}

/// The words of every `regi …` line in the README, without what stands in for the shop's own.
fn regi_lines(readme: &str) -> BTreeSet<String> {
    let in_blocks = blocks(readme, "sh").into_iter().flat_map(str::lines);
    let lines = in_blocks.chain(quoted(readme));
    let lines = lines.map(|line| line.split(" #").next().unwrap_or_default().trim());
    lines.filter(|line| *line == "regi" || line.starts_with("regi ")).map(str::to_owned).collect()
}

/// The names after `regi`, as its help lists them.
fn deeds() -> BTreeSet<String> {
    let help = help_of(&[]).expect("help");
    let listed = help.split("Commands:\n").nth(1).expect("a list of commands");
    let listed = listed.split("\n\n").next().unwrap_or_default();
    listed.lines().filter_map(|line| Some(line.split_whitespace().next()?.to_owned())).collect()
}

/// The words that may stand straight after a deed, when only some may.
fn choices(help: &str) -> Option<Vec<&str>> {
    let arguments = help.split("\nArguments:\n").nth(1)?.split("\n\n").next()?;
    // A long list goes on in the next line.
    let listed = arguments.split("[possible values: ").nth(1)?.split(']').next()?;
    Some(listed.split(',').map(str::trim).collect())
}

#[test]
fn every_command_line_of_the_readme_is_one() {
    let (lines, deeds) = (regi_lines(&readme()), deeds());
    let mut helps: BTreeMap<Option<&str>, String> = BTreeMap::new();
    assert!(lines.len() > 15, "the README shows command lines: {lines:?}");
    for line in &lines {
        let mut words = line.split_whitespace().skip(1);
        let plain = words.clone().next().is_none_or(|word| word.starts_with("--"));
        let deed = words.by_ref().find(|word| deeds.contains(*word));
        assert!(deed.is_some() || plain, "no such command: {line}");
        let help = helps.entry(deed).or_insert_with(|| help_of(deed.as_slice()).expect("help"));
        if let (Some(choices), Some(chosen)) = (choices(help), words.next()) {
            assert!(choices.contains(&chosen), "{chosen} is none of {choices:?}: {line}");
        }
        for option in line.split_whitespace().filter(|word| word.starts_with("--")) {
            let known = help.split([' ', '\n', ',', '[']).any(|word| word == option);
            assert!(known, "{option} is no option of: {line}");
        }
    }
}

#[test]
fn every_deed_of_the_command_line_is_in_the_readme() {
    let lines = regi_lines(&readme());
    for deed in deeds() {
        let shown = lines.iter().any(|line| line.split_whitespace().any(|word| word == deed));
        assert!(shown, "the README never shows regi {deed}");
    }
}

#[test]
fn the_table_of_commands_is_the_one_regi_knows() {
    let readme = readme();
    let table = part(&readme, "### The command language");
    let rows = table.lines().filter(|line| line.starts_with("| ") && line.contains('`'));
    let named: BTreeSet<&str> =
        rows.flat_map(quoted).filter_map(|words| words.split(' ').next()).collect();
    let known: BTreeSet<&str> = COMMANDS.iter().map(|spec| spec.name).collect();
    assert_eq!(named, known);
    for spec in COMMANDS {
        let line = format!("{} {}", spec.name, spec.arguments);
        let line = format!("`{}`", line.trim_end().replace('|', "\\|"));
        assert!(table.contains(&line), "{line} with its arguments");
    }
    for code in RefusalCode::ALL {
        assert!(table.contains(&format!("`{}`", code.word())), "{}", code.word());
    }
    for report in regi::app::reports::NAMES {
        assert!(table.contains(&format!("`{report}`")), "{report}");
    }
}

#[test]
fn scripts_of_the_readme_hold_only_commands() {
    let readme = readme();
    let scripts = blocks(&readme, "regi");
    assert!(!scripts.is_empty());
    for line in scripts.iter().flat_map(|script| script.lines()) {
        assert!(regi::domain::command::parse(line).is_ok(), "{line}");
    }
}

#[test]
fn settings_of_the_readme_are_taken() {
    let readme = readme();
    let blocks = blocks(&readme, "toml");
    let lane = blocks.iter().find(|text| text.starts_with("# shop.toml")).expect("a shop.toml");
    regi::app::lane_config::LaneConfig::read(lane).expect("a lane's settings");
    let shop = blocks.iter().find(|text| text.starts_with("# settings.toml")).expect("settings");
    let usual = regi::domain::settings::Settings::default();
    let mut settings = usual.clone();
    let patch = regi::exchange::shop_file::read_shop(shop, &usual).expect("a shop's settings");
    patch.apply(&mut settings).expect("settings that fit");
    let more = blocks.iter().find(|text| text.starts_with("# more settings")).expect("the others");
    let before = settings.clone();
    let patch = regi::exchange::shop_file::read_shop(more, &settings).expect("other settings");
    patch.apply(&mut settings).expect("settings that fit");
    assert_ne!(settings, before);
    let written = regi::exchange::shop_text::shop_text(&settings);
    let tables = |text: &'_ str| -> BTreeSet<String> {
        let heads = text.lines().filter_map(|line| line.strip_prefix('['));
        let names =
            heads.filter_map(|head| head.split(['[', '.', ']']).find(|name| !name.is_empty()));
        names.map(str::to_owned).collect()
    };
    let in_readme: BTreeSet<String> =
        [shop, more].into_iter().flat_map(|text| tables(text)).collect();
    for table in tables(&written) {
        let shown = in_readme.contains(&table);
        assert!(shown, "{table} is not in the README");
    }
}

#[test]
fn every_link_and_path_of_the_readme_leads_somewhere() {
    let readme = readme();
    let links = readme.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let links = links.filter(|link| !link.starts_with('#') && !link.contains("://"));
    let folders = ["src/", "keymaps/", "themes/", "printers/", "languages/", "tests/", "benches/"];
    let is_path = |text: &&str| {
        folders.iter().any(|folder| text.starts_with(folder)) && !text.contains(['*', ' ', 'N'])
    };
    let paths: Vec<&str> = links.chain(quoted(&readme).into_iter().filter(is_path)).collect();
    assert!(paths.len() > 10, "the README names files: {paths:?}");
    for path in paths {
        assert!(root().join(path).exists(), "{path} is not there");
    }
}

#[test]
fn every_heading_a_link_leads_to_stands_in_the_readme() {
    let readme = readme();
    let headings: BTreeSet<String> = readme
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| {
            let kept = line.trim_start_matches('#').trim().to_lowercase();
            kept.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).collect::<String>()
        })
        .map(|heading| heading.replace(' ', "-"))
        .collect();
    for link in readme.split("](#").skip(1).filter_map(|rest| rest.split(')').next()) {
        assert!(headings.contains(link), "#{link} is none of {headings:?}");
    }
}
