//! A shop that does not open: the screen that says so, and the doing of what is chosen there.
//!
//! Room: app. May touch: the terminal through screens, the store, copies of the shop's files.
//! Invariant: what is replaced is set aside first, in `damaged-N/` of the shop's folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::lane_config::LaneConfig;
use super::opening::{self, OpenFault, Options, place};
use super::picture::Picture;
use super::upkeep;
use super::words::misread_at;
use crate::domain::words::Words;
use crate::screens::{
    Action, Answer, Display, Keymap, Offer, Remedy, Screens, TerminalGuard, Theme, Trouble, wrap,
};
use crate::store::catalog::Damage;
use crate::store::diagnosis::{Diagnosis, diagnose};
use crate::store::fault::StoreError;
use crate::store::repair::{Missing, Source};
use crate::store::restore::{OverNewer, keys_from_backup};
use crate::store::shop::{CART_NAME, KEYS_NAME};

/// How the screen was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// Something was done: try to open again. What is known of may be nowhere to be found.
    Mended(Option<Missing>),
    /// Nothing was done.
    AsItWas,
}

/// Shows what is wrong and does what is chosen. `fault` is why the shop did not open, in words;
/// `opening` what its opening found in the journal.
///
/// # Errors
/// A terminal that cannot be used.
pub fn ask(
    options: &Options,
    config: &LaneConfig,
    fault: &str,
    opening: &[Damage],
    words: &Words,
) -> io::Result<Left> {
    let _guard = TerminalGuard::enter()?;
    let (width, height) = crossterm::terminal::size()?;
    let mut unfit = None;
    let keymap = opening::keymap(&options.dir, &config.keymap).unwrap_or_else(|fault| {
        unfit = Some(fault);
        Keymap::usual()
    });
    let theme = opening::theme(&options.dir, &config.theme).unwrap_or_else(|fault| {
        unfit.get_or_insert(fault);
        Theme::usual()
    });
    let shop = place(options, config);
    let found = diagnose(&shop, opening);
    let mut screens = Screens::recovery(keymap, theme, trouble(fault, &found, words));
    let mut display = Display::new(io::stdout(), width, height);
    let mut picture = Picture::of_no_shop(config.lane);
    match unfit {
        Some(OpenFault::Data { file, line, what }) => {
            picture.said(misread_at(file, line, &what, words));
        }
        Some(fault) => picture.said(fault.to_string()),
        None => {}
    }
    loop {
        let model = picture.model(words);
        display.draw(|cells| screens.draw(cells, &model))?;
        let action = match crossterm::event::read()? {
            crossterm::event::Event::Key(key) => screens.on_key(key, &model),
            crossterm::event::Event::Resize(width, height) => {
                display.resize(width, height);
                Action::Stay
            }
            _ => Action::Stay,
        };
        match action {
            Action::Quit => return Ok(Left::AsItWas),
            Action::Say(key) => picture.say(key, words),
            Action::Recover(Remedy::Look) => {
                let title = words.get("recovery.look").to_owned();
                // Sentences, not a table: none goes beyond the edge.
                let sentences = everything(fault, &found, words);
                let rows =
                    sentences.iter().flat_map(|row| wrap(row, width.saturating_sub(2))).collect();
                screens.answer(Answer::Text { title, rows });
            }
            Action::Recover(remedy) => {
                picture.say("recovery.working", words);
                let model = picture.model(words);
                display.draw(|cells| screens.draw(cells, &model))?;
                match mend(options, config, remedy, &found) {
                    Ok(missing) => return Ok(Left::Mended(missing)),
                    Err(error) => {
                        let what = words.refusal(&error.into());
                        let text = words.fill("recovery.failed", &[("what", &what)]);
                        picture.said(text);
                    }
                }
            }
            _ => picture.quiet(),
        }
    }
}

/// What is wrong, and what helps against it.
fn trouble(fault: &str, found: &Diagnosis, words: &Words) -> Trouble {
    let mut rows = vec![fault.to_owned()];
    rows.extend(everything("", found, words).into_iter().take(3));
    let backup = found.backups.first().map(|path| name_of(path));
    let mut offers = Vec::new();
    let mut offer = |remedy, label: String| offers.push(Offer { remedy, label });
    let journal = !found.journal.is_empty() || found.unreadable.is_some();
    if found.keys.is_some() {
        if found.copy && found.keys_copy {
            offer(Remedy::FromCopy, words.get("recovery.keys_copy").to_owned());
        }
        if let Some(name) = &backup {
            offer(Remedy::KeysFromBackup, words.fill("recovery.keys", &[("name", name)]));
        }
        offer(Remedy::NewKeys, words.get("recovery.new_keys").to_owned());
    }
    if journal && found.copy && !(found.keys.is_some() && found.keys_copy) {
        offer(Remedy::FromCopy, words.get("recovery.copy").to_owned());
    }
    if journal && found.end_only {
        offer(Remedy::GoOn, words.get("recovery.go_on").to_owned());
    }
    if let Some(name) = backup.filter(|_| journal) {
        offer(Remedy::FromBackup, words.fill("recovery.backup", &[("name", &name)]));
    }
    if offers.is_empty() {
        rows.push(words.get("recovery.none").to_owned());
    }
    let label = words.get("recovery.look").to_owned();
    offers.push(Offer { remedy: Remedy::Look, label });
    Trouble { rows, offers }
}

/// Everything that was found, a row each.
fn everything(fault: &str, found: &Diagnosis, words: &Words) -> Vec<String> {
    let mut rows: Vec<String> = Vec::new();
    if !fault.is_empty() {
        rows.push(fault.to_owned());
    }
    if let Some(what) = &found.keys {
        rows.push(words.fill("recovery.keys_bad", &[("what", what)]));
    }
    if let Some(what) = &found.unreadable {
        rows.push(words.fill("recovery.journal_unreadable", &[("what", what)]));
    }
    let damage = found.journal.iter().map(|(lane, damage)| {
        let what = words.refusal(&(*damage).into());
        words.fill("recovery.journal_bad", &[("lane", lane), ("what", &what)])
    });
    rows.extend(damage);
    rows
}

fn name_of(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// Does what was chosen.
///
/// # Errors
/// Why it could not be done; then nothing changed but what was set aside.
fn mend(
    options: &Options,
    config: &LaneConfig,
    remedy: Remedy,
    found: &Diagnosis,
) -> Result<Option<Missing>, StoreError> {
    let shop = place(options, config);
    let newest = || found.backups.first().ok_or(StoreError::Folder("no backup"));
    set_aside(&options.dir)?;
    match remedy {
        Remedy::Look => {}
        Remedy::FromCopy => {
            return Ok(upkeep::rebuild(options, config, Source::Copy, &mut |_, _| {})?.missing);
        }
        Remedy::FromBackup => {
            let (path, now) = (newest()?, options.time.now());
            upkeep::restore(options, config, path, now, OverNewer::Replace, &mut |_, _| {})?;
        }
        Remedy::KeysFromBackup => {
            keys_from_backup(&shop.files, newest()?, &options.dir, shop.chance)?;
        }
        Remedy::NewKeys => {
            fs::remove_file(options.dir.join(KEYS_NAME)).or_else(gone)?;
            shop.new_keys()?;
        }
        Remedy::GoOn => {
            let now = options.time.now();
            let reason = "the journal's end was damaged";
            let (opened, missing) = shop.go_on(reason, now, &mut |_, _| {})?;
            opened.shop.close()?;
            return Ok(missing);
        }
    }
    Ok(None)
}

fn gone(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

/// Copies journal, keys, cart into a folder of their own, so that no remedy costs a byte.
fn set_aside(dir: &Path) -> io::Result<()> {
    let free = (1..).map(|number| dir.join(format!("damaged-{number}")));
    let aside = free.into_iter().find(|path| !path.exists()).expect("numbers enough");
    fs::create_dir_all(aside.join("journal"))?;
    let mut files: Vec<PathBuf> = vec![KEYS_NAME.into(), CART_NAME.into()];
    for entry in fs::read_dir(dir.join("journal")).into_iter().flatten() {
        let name = entry?.file_name();
        if Path::new(&name).extension().is_some_and(|end| end == "log") {
            files.push(Path::new("journal").join(name));
        }
    }
    for name in files {
        let from = dir.join(&name);
        if from.is_file() {
            fs::copy(from, aside.join(name))?;
        }
    }
    Ok(())
}
