//! Verify, backup, restore, rebuild: what proves a shop's data and brings it back.
//!
//! Room: cli. May touch: standard streams, the store.

use std::path::Path;

use super::exit::Exit;
use super::said::Said;
use crate::app::opening::Options;
use crate::domain::words::Words;

pub fn verify(_options: &Options, _receipt: Option<&[String]>, _words: &Words) -> Result<Exit, Said> {
    Ok(Exit::Done)
}
pub fn backup(_options: &Options, _file: &Path, _words: &Words) -> Result<Exit, Said> {
    Ok(Exit::Done)
}
pub fn restore(_options: &Options, _file: &Path, _words: &Words) -> Result<Exit, Said> {
    Ok(Exit::Done)
}
pub fn rebuild(_options: &Options, _from_copy: bool, _words: &Words) -> Result<Exit, Said> {
    Ok(Exit::Done)
}
