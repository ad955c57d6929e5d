//! What the README names exists: commands, subcommands, options, files, keys of settings.
//!
//! Room: tests. May touch: the README, the repository's files, the binary's help.
//! Invariant: a name in the README that regi does not know is a failure, not an oversight.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use regi::domain::command::COMMANDS;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn readme() -> String {
    std::fs::read_to_string(root().join("README.md")).expect("the README")
}

/// The part of the README from a heading to the next of the same depth.
fn part<'a>(readme: &'a str, heading: &str) -> &'a str {
    let depth = heading.split(' ').next().expect("signs of a heading");
    let start = readme.find(&format!("\n{heading}\n")).expect(heading) + heading.len() + 2;
    let rest = &readme[start..];
    let end = rest.find(&format!("\n{depth} ")).unwrap_or(rest.len());
    &rest[..end]
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

#[test]
fn every_command_line_of_the_readme_is_one() {
    let lines = regi_lines(&readme());
    assert!(lines.len() > 15, "the README shows command lines: {lines:?}");
    for line in lines {
        let words: Vec<&str> = line.split_whitespace().skip(1).collect();
        let deed = words.iter().copied().find(|word| word.starts_with(|c: char| c.is_ascii_lowercase()));
        let help = help_of(deed.as_slice()).unwrap_or_else(|| panic!("no such command: {line}"));
        for option in words.iter().filter(|word| word.starts_with("--")) {
            let known = help.split([' ', '\n', ',']).any(|word| word == *option);
            assert!(known, "{option} is no option of: {line}");
        }
        if let Some(choices) = help.split("[possible values: ").nth(1).filter(|_| {
            deed.is_some_and(|deed| ["import", "export", "config", "completions"].contains(&deed))
        }) {
            let choices: Vec<&str> =
                choices.split(']').next().unwrap_or_default().split(", ").collect();
            let chosen = words.iter().skip_while(|word| Some(**word) != deed).nth(1);
            if let Some(chosen) = chosen {
                assert!(choices.contains(chosen), "{chosen} is none of {choices:?}: {line}");
            }
        }
    }
}

#[test]
fn every_deed_of_the_command_line_is_in_the_readme() {
    let help = help_of(&[]).expect("help");
    let listed = help.split("Commands:\n").nth(1).expect("a list of commands");
    let listed = listed.split("\n\n").next().unwrap_or_default();
    let lines = regi_lines(&readme());
    for deed in listed.lines().filter_map(|line| line.split_whitespace().next()) {
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
