//! What is connected, what state it is in, what a scan says, and the address of each.
//!
//! Room: screens. May touch: its own state. May not: devices; the app performs the acts.

use ratatui::layout::Position;

use super::act::{Act, ScreenName};
use super::action::{Action, Answer, DeviceAct, DeviceRow, Question};
use super::canvas::Canvas;
use super::frame;
use super::kana_line::{KanaLine, KanaMode};
use super::model::Model;
use super::screen::{Look, Screen, Turn};

/// The rows, and the address being changed.
#[derive(Default)]
pub struct Devices {
    rows: Option<Vec<DeviceRow>>,
    chosen: usize,
    address: Option<KanaLine>,
}

impl Devices {
    fn row(&self) -> Option<&DeviceRow> {
        self.rows.as_ref()?.get(self.chosen)
    }

    fn step(&mut self, by: isize) -> Turn {
        let last = self.rows.as_ref().map_or(0, |rows| rows.len().saturating_sub(1));
        self.chosen = self.chosen.saturating_add_signed(by).min(last);
        Turn::Stay
    }

    fn enter(&mut self) -> Turn {
        let Some(row) = self.row() else { return Turn::ask(Some(Question::Devices)) };
        let (device, address) = (row.device.clone(), row.address.clone());
        match self.address.take() {
            None => {
                let line = KanaLine::new(200, KanaMode::Direct).with(&address);
                self.address = Some(line);
                Turn::Stay
            }
            Some(mut line) => {
                let address = line.take().trim().to_owned();
                Turn::Give(Action::Device(DeviceAct::Address { device, address }))
            }
        }
    }

    fn edit(&mut self, act: Act) -> Turn {
        let Some(line) = &mut self.address else { return Turn::Ignored };
        match act {
            Act::Erase => line.erase(),
            Act::Delete => line.delete(),
            Act::Left => line.left(),
            Act::Right => line.right(),
            Act::Home => line.home(),
            Act::End => line.end(),
            Act::Back => self.address = None,
            _ => return Turn::Stay,
        }
        Turn::Stay
    }
}

impl Screen for Devices {
    fn name(&self) -> ScreenName {
        ScreenName::Devices
    }

    fn act(&mut self, act: Act, _model: &Model<'_>) -> Turn {
        let device = self.row().map(|row| row.device.clone());
        match (act, device) {
            (Act::Enter, _) => self.enter(),
            _ if self.address.is_some() => self.edit(act),
            (Act::Up, _) => self.step(-1),
            (Act::Down, _) => self.step(1),
            (Act::Refresh, _) => Turn::ask(Some(Question::Devices)),
            (Act::TestPrint, Some(device)) => {
                Turn::Give(Action::Device(DeviceAct::TestPrint(device)))
            }
            (Act::TestPrint, None) => Turn::say("hint.choose_first"),
            _ => Turn::Ignored,
        }
    }

    fn letter(&mut self, letter: char, _model: &Model<'_>) -> Turn {
        match &mut self.address {
            Some(line) => {
                line.push(letter);
                Turn::Stay
            }
            None => Turn::Ignored,
        }
    }

    fn paste(&mut self, text: &str, _model: &Model<'_>) -> Turn {
        match &mut self.address {
            Some(line) => {
                line.paste(text.trim());
                Turn::Stay
            }
            None => Turn::Ignored,
        }
    }

    fn opening(&self) -> Option<Question> {
        Some(Question::Devices)
    }

    fn answer(&mut self, answer: &Answer) -> bool {
        match answer {
            Answer::Devices(rows) => {
                self.chosen = self.chosen.min(rows.len().saturating_sub(1));
                self.rows = Some(rows.clone());
                true
            }
            _ => false,
        }
    }

    fn draw(&self, canvas: &mut Canvas<'_>, look: &Look<'_>) -> Option<Position> {
        frame::title(canvas, look, look.word("devices.title"));
        canvas.text(1, 1, canvas.width() - 2, look.word("devices.hint"), look.theme.dim);
        let Some(rows) = &self.rows else {
            canvas.text(3, 4, 60, look.word("find.searching"), look.theme.dim);
            return None;
        };
        let width = canvas.width();
        canvas.text(2, 3, 14, look.word("devices.kind"), look.theme.dim);
        canvas.text(17, 3, 14, look.word("devices.state"), look.theme.dim);
        canvas.text(32, 3, 30, look.word("devices.address"), look.theme.dim);
        canvas.text(width - 18, 3, 17, look.word("devices.model"), look.theme.dim);
        let mut cursor = None;
        for (y, (at, row)) in (4..canvas.height()).zip(rows.iter().enumerate()) {
            let chosen = at == self.chosen;
            draw_row(canvas, look, y, row, chosen);
            if let Some(line) = self.address.as_ref().filter(|_| chosen) {
                cursor = Some(line.draw(canvas, 32, y, width - 33, look.theme.field));
            }
        }
        cursor
    }
}

fn draw_row(canvas: &mut Canvas<'_>, look: &Look<'_>, y: u16, row: &DeviceRow, chosen: bool) {
    let style = if chosen { look.theme.selected } else { look.theme.text };
    let width = canvas.width();
    if chosen {
        canvas.bar(y, style);
    }
    canvas.text(0, y, 2, if chosen { ">" } else { " " }, style);
    canvas.text(2, y, 14, look.word(row.kind), style);
    let mark = if row.alert { "!" } else { " " };
    let state = format!("{mark}{}", look.word(row.state));
    canvas.text(16, y, 15, &state, if row.alert { look.theme.alert } else { style });
    canvas.text(32, y, width - 51, &row.address, style);
    canvas.text(width - 18, y, 17, &row.model, style);
}
