//! The floor under every frame: a register-like ratatui screen with no shop behind it.
//!
//! Room: benches. May touch: the terminal. Run as a program of its own, by this same binary.
//! It does what no register can do less of: digits go into a field, Enter adds a line.

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use crossterm::event::{self, Event, KeyCode};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::{Block, Paragraph, Row, Table};

/// What makes the bench binary this program.
pub const ARGUMENT: &str = "--hello";

#[derive(Default)]
struct Hello {
    field: String,
    lines: Vec<(String, u32)>,
    is_over: bool,
}

pub fn run() -> ExitCode {
    let mut terminal = ratatui::init();
    let shown = show(&mut terminal);
    ratatui::restore();
    if shown.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn show(terminal: &mut ratatui::DefaultTerminal) -> io::Result<()> {
    let mut hello = Hello::default();
    while !hello.is_over {
        terminal.draw(|frame| hello.draw(frame))?;
        // A scanner's burst costs one frame: all that is there is taken before the next.
        hello.take(&event::read()?);
        while event::poll(Duration::ZERO)? {
            hello.take(&event::read()?);
        }
    }
    Ok(())
}

impl Hello {
    fn take(&mut self, event: &Event) {
        let Event::Key(key) = event else { return };
        match key.code {
            KeyCode::Char('q') => self.is_over = true,
            KeyCode::Char(sign) => self.field.push(sign),
            KeyCode::Esc => self.field.clear(),
            KeyCode::Enter => {
                let name = format!("緑茶 {}", self.field);
                self.lines.push((name, 100 + self.field.len() as u32));
                self.field.clear();
            }
            _ => {}
        }
    }

    fn draw(&self, frame: &mut Frame) {
        let parts = [Constraint::Length(1), Constraint::Min(3), Constraint::Length(3)];
        let [head, body, foot] = Layout::vertical(parts).areas(frame.area());
        let title = Line::styled("Lane 1  staff 3", Style::new().add_modifier(Modifier::REVERSED));
        frame.render_widget(Paragraph::new(title), head);

        let rows = usize::from(body.height.saturating_sub(3));
        let first = self.lines.len().saturating_sub(rows);
        let row = |(place, (name, amount)): (usize, &(String, u32))| {
            Row::new([(place + 1).to_string(), name.clone(), amount.to_string()])
        };
        let widths = [Constraint::Length(5), Constraint::Min(20), Constraint::Length(10)];
        let table = Table::new(self.lines.iter().enumerate().skip(first).map(row), widths)
            .header(Row::new(["#", "item", "amount"]))
            .block(Block::bordered().title("Sale"));
        frame.render_widget(table, body);

        let total: u32 = self.lines.iter().map(|(_, amount)| amount).sum();
        let sums = format!("code [{}]   total {total}", self.field);
        frame.render_widget(Paragraph::new(sums).block(Block::bordered()), foot);
    }
}
