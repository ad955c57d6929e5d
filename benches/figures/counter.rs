//! A cashier at a register in a pty, and the same hands at the hello screen.
//!
//! Room: benches. May touch: the programs it starts.
//! Invariant: a step is over when what it asked for can be read on the screen, never before.

use std::path::Path;
use std::time::Duration;

use vt100::Screen;

use crate::Failure;
use crate::goods;
use crate::hello;
use crate::people;
use crate::place::REGI;
use crate::terminal::{Shown, Terminal};

const ENTER: &str = "\r";
const ESCAPE: &str = "\x1b";
const F3: &str = "\x1bOR";
const CTRL_A: &str = "\x01";

/// Longer than the time in which keys count as one burst of a scanner.
pub const APART: Duration = Duration::from_millis(70);

/// Somebody's number and PIN.
#[derive(Clone, Copy)]
pub struct Staff(pub &'static str, pub &'static str);

/// The register of a shop.
pub struct Counter(pub Terminal);

impl Counter {
    /// Starts the register and waits for its first screen; the returned time is from `exec` to it.
    pub fn open(shop: &Path) -> Result<(Self, Shown), Failure> {
        let shop = shop.to_str().ok_or("a folder's name in UTF-8")?;
        let args = ["--shop", shop, "--lang", "en"];
        let mut terminal = Terminal::start(Path::new(REGI), &args)?;
        let shown = terminal.ready(has_key_line)?;
        Ok((Self(terminal), shown))
    }

    /// Signs in.
    pub fn sign_in(&mut self, who: Staff) -> Result<(), Failure> {
        self.says_who(who)
    }

    /// Has a refusal lifted that comes next.
    pub fn approve(&mut self, who: Staff) -> Result<(), Failure> {
        self.0.press(CTRL_A, |screen| screen.contents().contains("Allow the next"))?;
        self.says_who(who)
    }

    fn says_who(&mut self, Staff(number, pin): Staff) -> Result<(), Failure> {
        self.0.press(number, |_| true)?;
        std::thread::sleep(APART);
        self.0.press(ENTER, |_| true)?;
        let (half, other) = pin.split_at(pin.len() / 2); // All of it at once would be a scan.
        for part in [half, other] {
            std::thread::sleep(APART);
            self.0.press(part, |_| true)?;
        }
        std::thread::sleep(APART);
        self.0.press(ENTER, |screen| !screen.contents().contains("PIN"))?;
        Ok(())
    }

    /// Types a digit and takes it back; it is shown large, and nothing else moves in the body.
    pub fn digit(&mut self) -> Result<Shown, Failure> {
        let before = body(self.0.screen());
        let shown = self.0.press("7", |screen| body(screen) != before)?;
        self.0.press(ESCAPE, |screen| body(screen) == before)?;
        Ok(shown)
    }

    /// Scans the nth item and waits for its line.
    pub fn scan(&mut self, item: u32) -> Result<Shown, Failure> {
        let name = goods::name(item);
        self.0.press(&scanned(item), |screen| screen.contents().contains(&name))
    }

    /// Goes to the tender, types what the customer gives, and times the cash key.
    pub fn cash(&mut self) -> Result<Shown, Failure> {
        self.open_tender()?;
        self.0.press(ENTER, is_closed)
    }

    /// Presses the cash key and scans the next customer's first item in one breath: over when both can
    /// be read, the closed sale's numbers and the next sale's line.
    pub fn cash_and_scan(&mut self, item: u32) -> Result<Shown, Failure> {
        self.open_tender()?;
        let name = goods::name(item);
        let keys = format!("{ENTER}{}", scanned(item));
        self.0.press(&keys, |screen| is_closed(screen) && screen.contents().contains(&name))
    }

    fn open_tender(&mut self) -> Result<(), Failure> {
        std::thread::sleep(APART);
        for keys in [ENTER, "50000"] {
            let before = body(self.0.screen());
            self.0.press(keys, |screen| body(screen) != before)?;
        }
        std::thread::sleep(APART);
        Ok(())
    }

    /// Scans the nth member's card and waits for the member.
    pub fn member(&mut self, member: u32) -> Result<Shown, Failure> {
        std::thread::sleep(APART);
        let before = body(self.0.screen());
        let keys = format!("{}{ENTER}", people::card(member));
        self.0.press(&keys, |screen| body(screen) != before)
    }

    /// Looks for members by a part of their name, as the member key does, and comes back.
    pub fn find_member(&mut self, name: &str) -> Result<Shown, Failure> {
        self.0.press(F3, |_| true)?;
        let shown = self.0.press(name, |screen| screen.contents().matches(name).count() > 2)?;
        std::thread::sleep(APART);
        self.0.press(ESCAPE, |_| true)?;
        self.0.press(ESCAPE, |_| true)?;
        Ok(shown)
    }
}

/// The hello screen.
pub struct Hello(pub Terminal);

impl Hello {
    pub fn open() -> Result<(Self, Shown), Failure> {
        let mut terminal = Terminal::start(&std::env::current_exe()?, &[hello::ARGUMENT])?;
        let shown = terminal.ready(|screen| screen.contents().contains("code []"))?;
        Ok((Self(terminal), shown))
    }

    pub fn digit(&mut self) -> Result<Shown, Failure> {
        let shown = self.0.press("7", |screen| screen.contents().contains("code [7]"))?;
        self.0.press(ESCAPE, |screen| screen.contents().contains("code []"))?;
        Ok(shown)
    }

    pub fn scan(&mut self, item: u32) -> Result<Shown, Failure> {
        let line = format!("緑茶 {}", goods::jan(item));
        self.0.press(&scanned(item), |screen| screen.contents().contains(&line))
    }
}

fn scanned(item: u32) -> String {
    format!("{}{ENTER}", goods::jan(item))
}

/// What stands between the status row and the last sale's numbers: messages and the clock are beside
/// it, and may come and go at any time.
fn body(screen: &Screen) -> String {
    let rows = screen.rows(0, 80).skip(1).take(18);
    // A cell that was blanked and one that was never written look the same.
    rows.map(|row| row.trim_end().to_owned() + "\n").collect()
}

/// The key line is the last thing a first screen needs.
fn has_key_line(screen: &Screen) -> bool {
    screen.alternate_screen() && screen.contents().contains("F1")
}

/// A closed sale leaves its receipt number beside the three numbers said aloud; the tender shows none.
fn is_closed(screen: &Screen) -> bool {
    let text = screen.contents();
    let signs: Vec<char> = text.chars().collect();
    signs.windows(9).any(|window| {
        let digit = |place: usize| window[place].is_ascii_digit();
        window[2] == '-' && digit(0) && digit(1) && (3..9).all(digit)
    })
}
