//! Keys of the terminal: typing, or a scanner that types.
//!
//! Room: app. May touch: the screens, with what a key means there.
//! Invariant: every key is taken in order; while an act is being written it waits, and none is lost.

use std::io::Write;

use crossterm::event::{Event as TerminalEvent, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::Counter;
use crate::devices::scanner::{Wedge, WedgeKey, test_label};
use crate::screens::Action;

impl<W: Write> Counter<W> {
    /// All that the terminal sent at once. A scan that came whole is seen before any digit of it is
    /// carried out.
    pub(super) fn typed(&mut self, events: Vec<TerminalEvent>) {
        let mut waiting = Vec::new();
        for event in events {
            match wedge_key(&event) {
                Some(key) => Wedge::queue(&mut waiting, self.wedge.press(key, self.elapsed_ms())),
                None => {
                    self.wedged(std::mem::take(&mut waiting));
                    self.terminal(event);
                }
            }
        }
        self.wedged(waiting);
    }

    /// A key that is no part of any scan.
    pub(super) fn key(&mut self, key: KeyEvent) {
        let held = self.wedge.flush();
        self.wedged(held);
        self.pressed(key);
    }

    pub(super) fn wedged(&mut self, meant: Vec<Wedge>) {
        for wedge in meant {
            match wedge {
                Wedge::Key(key) => self.pressed(KeyEvent::from(code_of(key))),
                Wedge::Scan { text, take_back } if self.screens.is_typing(&text) => {
                    for letter in text.chars().skip(take_back) {
                        self.pressed(KeyEvent::from(KeyCode::Char(letter)));
                    }
                    self.pressed(KeyEvent::from(KeyCode::Enter));
                }
                Wedge::Scan { text, take_back } => {
                    self.take_back(take_back);
                    self.scanned(&text);
                }
                Wedge::Rejected { take_back, why } => {
                    self.take_back(take_back);
                    self.rejected_scan(why);
                }
            }
        }
    }

    /// Digits of a scan were shown as typed; they go again.
    pub(super) fn take_back(&mut self, count: usize) {
        for _ in 0..count {
            match self.waiting_keys.back() {
                Some(_) => drop(self.waiting_keys.pop_back()),
                None => {
                    let back = KeyEvent::from(KeyCode::Backspace);
                    self.with_model(|screens, model| screens.on_key(back, model));
                }
            }
        }
    }

    pub(super) fn pressed(&mut self, key: KeyEvent) {
        if self.is_busy() {
            self.waiting_keys.push_back(key);
            return;
        }
        let before = self.screens.name();
        let action = self.with_model(|screens, model| screens.on_key(key, model));
        if action == Action::Stay && self.screens.name() != before {
            self.picture.quiet(); // What was said belongs to the screen that was left.
        }
        self.act(action);
    }

    pub(super) fn scanned(&mut self, text: &str) {
        if let Some(verdict) = test_label::judge(text) {
            return self.scanner_tested(&verdict);
        }
        let action = self.with_model(|screens, model| screens.on_scan(text, model));
        self.act(action);
    }
}

/// A key that a scanner may have typed.
fn wedge_key(event: &TerminalEvent) -> Option<WedgeKey> {
    let TerminalEvent::Key(key) = event else { return None };
    if key.kind == KeyEventKind::Release {
        return None;
    }
    let is_plain = key.modifiers.difference(KeyModifiers::SHIFT).is_empty();
    match key.code {
        // An Enter pressed before the screen was up, or the line feed that some scanners end with.
        KeyCode::Char('j') if key.modifiers == KeyModifiers::CONTROL => Some(WedgeKey::Enter),
        _ if !is_plain => None,
        KeyCode::Char(letter) => Some(WedgeKey::Char(letter)),
        KeyCode::Enter => Some(WedgeKey::Enter),
        KeyCode::Tab => Some(WedgeKey::Tab),
        _ => None,
    }
}

fn code_of(key: WedgeKey) -> KeyCode {
    match key {
        WedgeKey::Char(letter) => KeyCode::Char(letter),
        WedgeKey::Enter => KeyCode::Enter,
        WedgeKey::Tab => KeyCode::Tab,
    }
}
