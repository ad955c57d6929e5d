//! Opening a lane: its settings, the shop behind it, the printer, the words.
//!
//! Room: app. May touch: the shop folder through the store, `shop.toml`.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::books::{Books, ShopKind};
use super::clock::{Chance, ClockWatch, Jump, Time, uptime_ms};
use super::engine::{Engine, chain_damaged};
use super::kitchen::Kitchen;
use super::lane_config::{ConfigFault, LaneConfig, line_of};
use super::spool::{self, Spool, SpoolError};
use super::words::Language;
use crate::devices::printer::Address;
use crate::devices::printer::dialogue::Patience;
use crate::devices::profile::Profiles;
use crate::domain::entry::Kind;
use crate::domain::misread::misread;
use crate::domain::refusal::Refusal;
use crate::domain::register::{Cart, Register};
use crate::domain::settings::SettingsChange;
use crate::domain::words::Words;
use crate::screens::{Keymap, Theme};
use crate::store::catalog::Damage;
use crate::store::fault::StoreError;
use crate::store::files::look::LookedAt;
use crate::store::files::plain::PlainFiles;
use crate::store::history::History;
use crate::store::keys::Chance as KeyChance;
use crate::store::opening::{OpenReport, TailFound};
use crate::store::pins;
use crate::store::projections::STORE_NAME;
use crate::store::second_copy::CopyPlace;
use crate::store::shop::{KEYS_NAME, Opened, ShopPlace};

/// Disk space kept back so that the open sale and the Z can always finish.
const RESERVE_BYTES: u64 = 64 * 1024 * 1024;

/// How a lane is opened.
#[derive(Debug, Clone)]
pub struct Options {
    pub dir: PathBuf,
    pub lane: Option<u8>,
    pub language: Option<Language>,
    pub time: Time,
    pub chance: Chance,
    /// Overrides the printer of `shop.toml` (the demo's pane).
    pub printer: Option<&'static str>,
    /// How long a printer is waited for.
    pub patience: Patience,
}

/// What this lane's machine has and likes, in the shop's folder.
pub const SHOP_TOML: &str = "shop.toml";

/// Why a lane does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenFault {
    #[error("{file}:{line}: {what}")]
    Data { file: String, line: usize, what: Refusal },
    #[error("{0}")]
    Printer(#[from] SpoolError),
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("{0}")]
    File(#[from] io::Error),
    /// A file that people write, which cannot be read.
    #[error("{}: {error}", path.display())]
    Text { path: PathBuf, error: io::Error },
    /// There is no shop in the folder.
    #[error("no shop")]
    NoShop,
    /// The shop in the folder is another lane's.
    #[error("another lane")]
    OtherLane { lane: u8, there: Vec<u8> },
    /// There is one already.
    #[error("a shop")]
    Exists,
}

/// Reads `shop.toml`; a folder without one has the usual settings.
///
/// # Errors
/// What does not fit, with its line.
pub fn read_config(dir: &Path) -> Result<LaneConfig, OpenFault> {
    let path = dir.join(SHOP_TOML);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(LaneConfig::default()),
        Err(error) => return Err(OpenFault::Text { path, error }),
    };
    LaneConfig::read(&text).map_err(|ConfigFault { line, what }| OpenFault::Data {
        file: SHOP_TOML.to_owned(),
        line,
        what,
    })
}

/// The shop's own data files of a folder (`printers`, `keymaps`, `themes`): name and text.
///
/// # Errors
/// A file that is there and cannot be read.
pub fn own_files(dir: &Path, folder: &str) -> Result<Vec<(String, String)>, OpenFault> {
    let mut files = Vec::new();
    let folder = dir.join(folder);
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(files),
        Err(error) => return Err(OpenFault::Text { path: folder, error }),
    };
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if name.ends_with(".toml") {
            match fs::read_to_string(&path) {
                Ok(text) => files.push((name, text)),
                Err(error) => return Err(OpenFault::Text { path, error }),
            }
        }
    }
    files.sort();
    Ok(files)
}

/// The printers a lane may have: built in, and the shop's own over them.
///
/// # Errors
/// A file that does not fit, with its line.
pub fn profiles(dir: &Path) -> Result<Profiles, OpenFault> {
    Profiles::load(&own_files(dir, "printers")?).map_err(|fault| OpenFault::Data {
        file: format!("printers/{}", fault.file),
        line: fault.line,
        what: fault.reason,
    })
}

/// The file with keys of the shop's own, whichever keymap a lane uses.
pub const OWN_KEYS: &str = "own.toml";

/// The keymap a lane uses: the shop's own file of that name, else the built-in one; over it the keys of
/// the shop's `own.toml`, where there is one.
///
/// # Errors
/// A file that does not fit, with its line.
pub fn keymap(dir: &Path, name: &str) -> Result<Keymap, OpenFault> {
    let file = format!("{name}.toml");
    let files = own_files(dir, "keymaps")?;
    let read = |wanted: &str| {
        let found = files.iter().find(|(known, _)| known == wanted);
        let keymap = found.map(|(file, text)| Keymap::read(&format!("keymaps/{file}"), text));
        keymap.transpose().map_err(data_fault)
    };
    let chosen = match read(&file)? {
        Some(keymap) => keymap,
        None => Keymap::built_in(name).ok_or_else(|| nothing_named(dir, "keymap", name))?,
    };
    Ok(match read(OWN_KEYS)? {
        Some(own) => chosen.under(own),
        None => chosen,
    })
}

/// The theme a lane uses; without colour when the environment asks for none.
///
/// # Errors
/// A file that does not fit, with its line.
pub fn theme(dir: &Path, name: &str) -> Result<Theme, OpenFault> {
    let file = format!("{name}.toml");
    let own = own_files(dir, "themes")?.into_iter().find(|(known, _)| *known == file);
    let theme = match own {
        None => Theme::built_in(name).ok_or_else(|| nothing_named(dir, "theme", name))?,
        Some((file, text)) => Theme::read(&format!("themes/{file}"), &text).map_err(data_fault)?,
    };
    let colourless = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    Ok(if colourless { theme.without_colour() } else { theme })
}

/// Whether everything that a lane's settings name is there and fits, before anything is opened or made.
///
/// # Errors
/// The first thing that does not.
pub fn fits(dir: &Path, config: &LaneConfig) -> Result<(), OpenFault> {
    let profiles = profiles(dir)?;
    keymap(dir, &config.keymap)?;
    theme(dir, &config.theme)?;
    for (address, profile) in config.printers() {
        address.parse::<Address>().map_err(SpoolError::from)?;
        profiles.get(profile).ok_or_else(|| no_profile(dir, profile))?;
    }
    spool::logo(dir)?;
    Ok(())
}

/// `shop.toml` names a file that neither comes with regi nor lies in the shop's folder.
fn nothing_named(dir: &Path, key: &'static str, name: &str) -> OpenFault {
    let what = misread("config.nothing_named").with("key", key).with("name", name);
    in_shop_toml(dir, what, |text| line_of(text, key, 0))
}

/// `shop.toml` names a model of which there is no file.
fn no_profile(dir: &Path, name: &str) -> OpenFault {
    let names = |line: &str| line.trim_start().starts_with("profile") && line.contains(name);
    in_shop_toml(dir, misread("printer.no_profile").with("name", name), |text| {
        text.lines().position(names).map_or(1, |before| before + 1)
    })
}

fn in_shop_toml(dir: &Path, what: Refusal, line: impl FnOnce(&str) -> usize) -> OpenFault {
    let text = fs::read_to_string(dir.join(SHOP_TOML)).unwrap_or_default();
    OpenFault::Data { file: SHOP_TOML.to_owned(), line: line(&text), what }
}

fn data_fault(fault: crate::screens::DataFault) -> OpenFault {
    OpenFault::Data { file: fault.file, line: fault.line, what: fault.fault }
}

/// The language of a lane: asked for, else the lane's own.
pub fn language(options: &Options, config: &LaneConfig) -> Language {
    options.language.or_else(|| Language::from_word(&config.language)).unwrap_or_default()
}

/// Whether the folder holds a shop, and this lane of it.
///
/// # Errors
/// `NoShop`, or `OtherLane` with the lanes whose journals are there.
pub fn is_here(dir: &Path, lane: u8) -> Result<(), OpenFault> {
    // Where the rest of a shop lies, nobody is asked for a new one.
    let lost = dir.join(STORE_NAME).exists() || dir.join(KEYS_NAME).exists();
    if !dir.join("journal").is_dir() {
        let fault = StoreError::Folder("the folder of the journal is not there");
        return Err(if lost { fault.into() } else { OpenFault::NoShop });
    }
    let journals = History::new(Arc::new(PlainFiles), dir).journals()?;
    let there: BTreeSet<u8> = journals.into_iter().map(|(lane, _)| lane).collect();
    if there.is_empty() && !lost {
        return Err(OpenFault::NoShop);
    }
    // A journal that is gone altogether is for the store to tell of.
    if there.is_empty() || there.contains(&lane) {
        return Ok(());
    }
    Err(OpenFault::OtherLane { lane, there: there.into_iter().collect() })
}

/// Opens a lane for work. `woken` is called when the printer has news.
///
/// # Errors
/// Why it does not open; nothing was changed.
pub fn open(
    options: &Options,
    woken: impl Fn() + Send + Sync + 'static,
) -> Result<Engine, OpenFault> {
    let mut config = read_config(&options.dir)?;
    if let Some(lane) = options.lane {
        config.lane = lane;
    }
    if let Some(printer) = options.printer {
        config.printer.address = printer.to_owned();
    }
    is_here(&options.dir, config.lane)?;
    let place = place(options, &config);
    open_place(options, config, &place, woken)
}

/// Opens a lane to be read only: nothing is written, synced or printed, and what a register that was
/// killed left to be folded is folded in memory.
///
/// # Errors
/// Why it cannot be read so: then [`open`] says what is to be done, or does it.
pub fn look(options: &Options) -> Result<Engine, OpenFault> {
    let mut config = read_config(&options.dir)?;
    if let Some(lane) = options.lane {
        config.lane = lane;
    }
    config.printer.address = "screen:".to_owned();
    config.printer.fallback = None;
    config.kitchen.clear();
    is_here(&options.dir, config.lane)?;
    let files = Arc::new(LookedAt::new(Arc::new(PlainFiles)));
    let place = ShopPlace { files, copy: None, reserve_bytes: 0, ..place(options, &config) };
    let opened = place.open(&mut |_, _| {})?;
    let notes = opened.shop.cart_log().clone();
    let (profiles, words) = (profiles(&options.dir)?, language(options, &config).words());
    let woken: Arc<dyn Fn() + Send + Sync> = Arc::new(|| {});
    let spool = Spool::start(&config, &profiles, &options.dir, notes, options.patience, &woken)?;
    // Nobody presses a key here, whichever keymap is named.
    Ok(engine(options, config, Keymap::usual(), words, spool, opened))
}

/// Opens a lane whose shop lies at `place`, whatever its files are.
///
/// # Errors
/// Why it does not open; nothing was changed.
pub fn open_place(
    options: &Options,
    config: LaneConfig,
    place: &ShopPlace,
    woken: impl Fn() + Send + Sync + 'static,
) -> Result<Engine, OpenFault> {
    let profiles = profiles(&options.dir)?;
    let keymap = keymap(&options.dir, &config.keymap)?;
    let words: Words = language(options, &config).words();
    let opened = match place.open(&mut |_, _| {}) {
        Err(StoreError::EpochDue) => {
            place.begin_epoch("restore", options.time.now(), &mut |_, _| {})?
        }
        opened => opened?,
    };
    let notes = opened.shop.cart_log().clone();
    let woken: Arc<dyn Fn() + Send + Sync> = Arc::new(woken);
    let (dir, patience) = (&options.dir, options.patience);
    let spool = Spool::start(&config, &profiles, dir, notes.clone(), patience, &woken)?;
    let kitchen = Kitchen::start(&config.kitchen, &profiles, dir, &notes, patience, &woken)?;
    Ok(Engine { kitchen, ..engine(options, config, keymap, words, spool, opened) })
}

/// Makes a shop in an empty folder and opens it, as its owner gave the settings.
///
/// # Errors
/// Why it cannot be made; a folder that holds a shop already is left as it is.
pub fn found(
    options: &Options,
    config: &LaneConfig,
    mut settings: SettingsChange,
    kind: ShopKind,
) -> Result<Engine, OpenFault> {
    let place = place(options, config);
    if place.exists()? {
        return Err(OpenFault::Exists);
    }
    fits(&options.dir, config)?;
    let pins = settings.take_pins();
    for (_, pin) in &pins {
        pins::allowed(pin, kind.pins()).map_err(StoreError::from)?;
    }
    fs::create_dir_all(&options.dir)?;
    let path = options.dir.join("shop.toml");
    if !path.exists() {
        fs::write(&path, config.write())?;
    }
    let name = settings.settings.shop.name.clone().unwrap_or_default();
    let mut chance = options.chance;
    let shop_id = (chance.id(0) as u64).max(1);
    let opened = place.create(shop_id, &name, settings, options.time.now(), &mut |_, _| {})?;
    let profiles = profiles(&options.dir)?;
    let keymap = keymap(&options.dir, &config.keymap)?;
    let words = language(options, config).words();
    let notes = opened.shop.cart_log().clone();
    let woken: Arc<dyn Fn() + Send + Sync> = Arc::new(|| {});
    let spool = Spool::start(config, &profiles, &options.dir, notes, options.patience, &woken)?;
    let mut engine = engine(options, config.clone(), keymap, words, spool, opened);
    for (staff, pin) in &pins {
        engine.shop.set_pin(*staff, Some(pin), kind).map_err(StoreError::from)?;
    }
    let changed = pins.iter().map(|(staff, _)| Kind::PinChanged { staff: *staff }).collect();
    engine.record(changed).map_err(StoreError::from)?;
    Ok(engine)
}

fn engine(
    options: &Options,
    config: LaneConfig,
    keymap: Keymap,
    words: Words,
    spool: Spool,
    opened: Opened,
) -> Engine {
    let now = options.time.now();
    let mut cart = opened.cart;
    if !opened.lane.is_open(&cart) {
        cart = Cart::default();
    }
    let broken = broken(&opened.report);
    Engine {
        register: Register::new(opened.settings, opened.lane, cart),
        unclean: opened.unclean,
        printing: opened.printing,
        check: None,
        backup: None,
        trial: None,
        damage: broken.first().map(|damage| chain_damaged(damage.to_string())),
        broken,
        shop: Arc::new(Books::new(opened.shop, &options.dir)),
        words,
        paper_words: None,
        time: options.time,
        clock: ClockWatch::begin(now.utc_ms, uptime_ms()),
        jump: opened.last.and_then(|last| Jump::since(last, now)),
        chance: options.chance,
        spool,
        kitchen: Kitchen::default(),
        config,
        keymap,
        dir: options.dir.clone(),
    }
}

/// The folder as the store sees it.
pub fn place(options: &Options, config: &LaneConfig) -> ShopPlace {
    lane_place(&options.dir, config)
}

/// The folder of a lane as the store sees it.
pub fn lane_place(dir: &Path, config: &LaneConfig) -> ShopPlace {
    ShopPlace {
        files: Arc::new(PlainFiles),
        dir: dir.to_owned(),
        lane: config.lane,
        chance: kernel_chance(),
        pid: std::process::id(),
        copy: copy_place(config),
        reserve_bytes: RESERVE_BYTES,
    }
}

/// Keys and salts come from the kernel, whatever the run's seed is.
pub fn kernel_chance() -> KeyChance {
    Arc::new(|bytes| getrandom::fill(bytes).expect("the kernel's random source"))
}

/// Where the second copy lies, when there is one.
pub fn copy_place(config: &LaneConfig) -> Option<CopyPlace> {
    let folder = Some(&config.copy.folder).filter(|folder| !folder.is_empty());
    folder.map(|folder| CopyPlace { files: Arc::new(PlainFiles), dir: folder.into() })
}

/// What keeps a journal from taking entries; empty when nothing does.
fn broken(report: &OpenReport) -> Vec<Damage> {
    match report.tail {
        TailFound::Damaged(_) => report.damage.clone(),
        TailFound::Nothing | TailFound::Torn(_) => Vec::new(),
    }
}
