//! Every fault at every byte: a receipt is never printed twice without a mark.
//!
//! Room: devices, tests. May touch: the dialogue, a printer made of a few fields.
//! Invariant proved: over all byte offsets and faults, a job is sent once, and ends once, in words.

use super::dialogue::{Dialogue, Manner, Patience};
use super::status::{ANSWER_WHEN_DONE, ProcessId, Trouble};
use super::{Job, JobKind, PrinterEvent, Proof};
use crate::devices::profile::{Level, Status};

const PAPER: &[u8] = b"\x1b@RECEIPT 1\nTOTAL 1,957\n\x1dVB\0";
const STEP_MS: u64 = 50;
const PULSE: [u8; 5] = [0x1b, b'p', 0, 25, 250];
const PULSE_NOW: [u8; 5] = [0x10, 0x14, 1, 0, 1];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    PaperEnds,
    CoverOpens,
    CableDrops,
    /// What it held is gone, and what reaches it while it starts again; nobody notices over a
    /// serial line.
    PowerCycles,
    Stalls,
    AnswersLate,
    AnswersForOldJob,
    AnswersGarbage,
    GoesMute,
    CutterJams,
    AnswersTwice,
}

const FAULTS: [Fault; 12] = [
    Fault::None,
    Fault::PaperEnds,
    Fault::CoverOpens,
    Fault::CableDrops,
    Fault::PowerCycles,
    Fault::Stalls,
    Fault::AnswersLate,
    Fault::AnswersForOldJob,
    Fault::AnswersGarbage,
    Fault::GoesMute,
    Fault::CutterJams,
    Fault::AnswersTwice,
];

/// A printer that obeys the few commands a dialogue sends around its papers.
struct SoftPrinter {
    buffer: Vec<u8>,
    printed: Vec<u8>,
    replies: Vec<(u64, Vec<u8>)>,
    fault: Fault,
    at: usize,
    taken: usize,
    struck_at: Option<u64>,
    pulses: usize,
}

impl SoftPrinter {
    fn new(fault: Fault, at: usize) -> Self {
        Self {
            buffer: Vec::new(),
            printed: Vec::new(),
            replies: Vec::new(),
            fault,
            at,
            taken: 0,
            struck_at: None,
            pulses: 0,
        }
    }

    /// Faults last three seconds, then staff have mended them.
    fn suffers(&self, fault: Fault, now: u64) -> bool {
        self.fault == fault && self.struck_at.is_some_and(|at| now < at + 3_000)
    }

    fn take(&mut self, bytes: &[u8], now: u64) -> usize {
        let mut count = 0;
        for &byte in bytes {
            if self.taken >= self.at && self.struck_at.is_none() {
                self.struck_at = Some(now);
                if self.fault == Fault::PowerCycles {
                    self.buffer.clear();
                }
            }
            if self.suffers(Fault::Stalls, now) || self.suffers(Fault::CableDrops, now) {
                break;
            }
            self.taken += 1;
            count += 1;
            if self.suffers(Fault::PowerCycles, now) {
                continue;
            }
            self.buffer.push(byte);
            self.obey_real_time(now);
        }
        self.print(now);
        count
    }

    fn obey_real_time(&mut self, now: u64) {
        if let [.., 0x10, 4, asked] = self.buffer[..] {
            self.buffer.truncate(self.buffer.len() - 3);
            let reply = match asked {
                1 => 0x12 | u8::from(self.stopped(now)) << 3,
                2 => 0x12 | self.causes(now),
                _ if self.suffers(Fault::PaperEnds, now) => 0x72,
                _ => 0x12,
            };
            self.reply(&[reply], now);
        } else if self.buffer.ends_with(&PULSE_NOW) {
            self.buffer.truncate(self.buffer.len() - PULSE_NOW.len());
            self.pulses += 1;
        }
    }

    fn causes(&self, now: u64) -> u8 {
        let bit = |fault, at: u8| u8::from(self.suffers(fault, now)) << at;
        bit(Fault::CoverOpens, 2) | bit(Fault::PaperEnds, 5) | bit(Fault::CutterJams, 6)
    }

    fn stopped(&self, now: u64) -> bool {
        self.causes(now) != 0
    }

    /// Prints what is buffered, and answers what asks to be answered then.
    fn print(&mut self, now: u64) {
        if self.stopped(now) {
            return;
        }
        let request = [0x1d, b'(', b'H', 6, 0, 0x30, 0x30];
        loop {
            let process = find(&self.buffer, &request).filter(|at| self.buffer.len() >= at + 11);
            let next = [
                process.map(|at| (at, 11)),
                find(&self.buffer, &ANSWER_WHEN_DONE).map(|at| (at, 3)),
                find(&self.buffer, &PULSE).map(|at| (at, 5)),
            ];
            let Some((at, length)) = next.into_iter().flatten().min() else { return };
            let command: Vec<u8> = self.buffer[at..at + length].to_vec();
            self.printed.extend(self.buffer.drain(..at + length));
            match length {
                11 => self.reply(&[&[0x37, 0x22], &command[7..], &[0]].concat(), now),
                3 => self.reply(&[0], now),
                _ => self.pulses += 1,
            }
        }
    }

    fn reply(&mut self, bytes: &[u8], now: u64) {
        if self.suffers(Fault::GoesMute, now) {
            return;
        }
        let (delay, bytes) = match self.fault {
            Fault::AnswersLate => (1_500, bytes.to_vec()),
            Fault::AnswersGarbage => (0, [&[0xff, 0x91, 0x37, 0x22, 0x00], bytes].concat()),
            Fault::AnswersForOldJob => {
                let old = ProcessId::of(6).request();
                (0, [&[0x37, 0x22], &old[7..], &[0], bytes].concat())
            }
            Fault::AnswersTwice => (0, [bytes, bytes].concat()),
            _ => (0, bytes.to_vec()),
        };
        self.replies.push((now + delay, bytes));
    }

    fn due_replies(&mut self, now: u64) -> Vec<u8> {
        let (due, later) = self.replies.drain(..).partition(|(at, _)| *at <= now);
        self.replies = later;
        let due: Vec<(u64, Vec<u8>)> = due;
        due.into_iter().flat_map(|(_, bytes)| bytes).collect()
    }
}

fn find(stream: &[u8], part: &[u8]) -> Option<usize> {
    stream.windows(part.len()).position(|window| window == part)
}

fn count(stream: &[u8], part: &[u8]) -> usize {
    stream.windows(part.len()).filter(|window| *window == part).count()
}

fn paper(id: u64) -> Job {
    Job { id, name: format!("receipt-{id}"), bytes: PAPER.to_vec(), kind: JobKind::Paper }
}

fn drawer(id: u64) -> Job {
    let kind = JobKind::Drawer { real_time: PULSE_NOW.to_vec() };
    Job { id, name: "drawer".into(), bytes: PULSE.to_vec(), kind }
}

fn manner(status: Status, process_id: bool) -> Manner {
    Manner { status, process_id, drawer_open: Level::High }
}

struct Run {
    events: Vec<PrinterEvent>,
    printer: SoftPrinter,
    steps_without_sleep: usize,
}

/// Plays a minute of conversation about `jobs`.
fn play(manner: Manner, jobs: Vec<Job>, mut printer: SoftPrinter) -> Run {
    let mut dialogue = Dialogue::new(manner, Patience::default());
    let mut events = Vec::new();
    let mut linked = false;
    let mut steps_without_sleep = 0;
    for job in jobs {
        dialogue.submit(job, 0);
    }
    for now in (0..60_000).step_by(STEP_MS as usize) {
        if printer.suffers(Fault::CableDrops, now) && linked {
            linked = false;
            dialogue.lost(Trouble::Absent, now);
        } else if !linked && dialogue.wants_link() && !printer.suffers(Fault::CableDrops, now) {
            linked = true;
            dialogue.opened(now);
        }
        while linked && !dialogue.to_write().is_empty() {
            while let Some(event) = dialogue.next_event() {
                events.push(event);
            }
            match printer.take(dialogue.to_write(), now) {
                0 => break,
                taken => dialogue.wrote(taken, now),
            }
        }
        printer.print(now);
        let replies = printer.due_replies(now);
        if linked && !replies.is_empty() {
            dialogue.heard(&replies, now);
        }
        dialogue.tick(now);
        if dialogue.to_write().is_empty() || printer.suffers(Fault::Stalls, now) {
            steps_without_sleep += usize::from(dialogue.deadline().is_some_and(|at| at + 1 < now));
        }
        while let Some(event) = dialogue.next_event() {
            events.push(event);
        }
    }
    Run { events, printer, steps_without_sleep }
}

fn ends(events: &[PrinterEvent], id: u64) -> Vec<&PrinterEvent> {
    let is_end = |event: &&PrinterEvent| match event {
        PrinterEvent::Done { job, .. }
        | PrinterEvent::Uncertain { job, .. }
        | PrinterEvent::NotSent { job, .. } => *job == id,
        _ => false,
    };
    events.iter().filter(is_end).collect()
}

fn whole_stream(printer: &SoftPrinter) -> Vec<u8> {
    [&printer.printed[..], &printer.buffer].concat()
}

#[test]
fn a_receipt_is_sent_once_whatever_fails_at_whatever_byte() {
    let manners = [
        manner(Status::Asb, true),
        manner(Status::Dle, true),
        manner(Status::Dle, false),
        manner(Status::None, false),
    ];
    for manner in manners {
        for fault in FAULTS {
            for at in 0..PAPER.len() + 40 {
                let run = play(manner, vec![paper(7)], SoftPrinter::new(fault, at));
                let context = format!("{manner:?} {fault:?} at {at}: {:?}", run.events);
                assert!(count(&whole_stream(&run.printer), PAPER) <= 1, "{context}");
                assert_eq!(run.steps_without_sleep, 0, "{context}");
                match ends(&run.events, 7)[..] {
                    [PrinterEvent::Done { .. }] => {
                        let proved = manner.status != Status::None;
                        let printed = count(&run.printer.printed, PAPER);
                        assert!(!proved || printed == 1, "{context}");
                    }
                    [PrinterEvent::Uncertain { .. }] => {}
                    [PrinterEvent::Uncertain { .. }, PrinterEvent::Done { proof, .. }] => {
                        assert_eq!(*proof, Proof::ProcessId, "{context}");
                        assert_eq!(count(&run.printer.printed, PAPER), 1, "{context}");
                    }
                    _ => panic!("a job ends once: {context}"),
                }
            }
        }
    }
}

#[test]
fn a_printer_that_is_well_proves_what_its_profile_promises() {
    for (manner, proof) in [
        (manner(Status::Asb, true), Proof::ProcessId),
        (manner(Status::Dle, false), Proof::Status),
        (manner(Status::None, false), Proof::Probably),
    ] {
        let run = play(manner, vec![paper(7)], SoftPrinter::new(Fault::None, 0));
        assert_eq!(
            run.events
                .iter()
                .filter(|e| !matches!(e, PrinterEvent::DrawerSensor { .. }))
                .collect::<Vec<_>>(),
            [
                &PrinterEvent::Ready,
                &PrinterEvent::FirstByte { job: 7 },
                &PrinterEvent::Done { job: 7, proof }
            ]
        );
    }
}

#[test]
fn paper_that_ends_inside_a_receipt_is_told_and_the_rest_prints_by_itself() {
    let run =
        play(manner(Status::Dle, true), vec![paper(7)], SoftPrinter::new(Fault::PaperEnds, 20));
    assert!(run.events.contains(&PrinterEvent::Trouble(Trouble::PaperOut)), "{:?}", run.events);
    assert_eq!(run.events.last(), Some(&PrinterEvent::Ready));
    assert_eq!(ends(&run.events, 7), [&PrinterEvent::Done { job: 7, proof: Proof::ProcessId }]);
    assert_eq!(count(&run.printer.printed, PAPER), 1);
}

#[test]
fn a_power_cycled_printer_leaves_a_question_not_a_second_receipt() {
    let silent = SoftPrinter::new(Fault::PowerCycles, 30);
    let run = play(manner(Status::Dle, true), vec![paper(7), paper(8)], silent);
    assert!(matches!(
        ends(&run.events, 7)[..],
        [PrinterEvent::Uncertain { .. }] | [PrinterEvent::Done { .. }]
    ));
    assert_eq!(ends(&run.events, 8), [&PrinterEvent::Done { job: 8, proof: Proof::ProcessId }]);
}

#[test]
fn the_drawer_opens_once_though_the_paper_is_out() {
    for fault in FAULTS {
        for at in 0..30 {
            for manner in [manner(Status::Dle, true), manner(Status::None, false)] {
                let run = play(manner, vec![drawer(3), paper(7)], SoftPrinter::new(fault, at));
                let context = format!("{manner:?} {fault:?} at {at}: {:?}", run.events);
                assert!(run.printer.pulses <= 1, "{context}");
                assert_eq!(ends(&run.events, 3).len(), 1, "{context}");
                if fault == Fault::PaperEnds && manner.status != Status::None {
                    assert_eq!(run.printer.pulses, 1, "{context}");
                }
            }
        }
    }
}

#[test]
fn a_drawer_that_cannot_be_reached_is_given_up_within_seconds() {
    let mut dialogue = Dialogue::new(manner(Status::Dle, true), Patience::default());
    dialogue.submit(drawer(3), 0);
    dialogue.lost(Trouble::Absent, 10);
    assert_eq!(dialogue.deadline(), Some(3_000));
    dialogue.tick(3_000);
    let events: Vec<_> = std::iter::from_fn(|| dialogue.next_event()).collect();
    assert_eq!(
        events,
        [
            PrinterEvent::Trouble(Trouble::Absent),
            PrinterEvent::NotSent { job: 3, trouble: Trouble::Absent }
        ]
    );
    dialogue.opened(3_001);
    assert!(dialogue.to_write().is_empty(), "a late pulse would surprise");
}

#[test]
fn a_waiting_paper_can_be_withdrawn_and_one_begun_cannot() {
    let mut dialogue = Dialogue::new(manner(Status::None, false), Patience::default());
    dialogue.submit(paper(7), 0);
    dialogue.submit(paper(8), 0);
    dialogue.opened(0);
    dialogue.withdraw(7, 1);
    dialogue.withdraw(8, 1);
    let events: Vec<_> = std::iter::from_fn(|| dialogue.next_event()).collect();
    assert!(ends(&events, 7).is_empty());
    assert!(matches!(ends(&events, 8)[..], [PrinterEvent::NotSent { job: 8, .. }]));
}

#[test]
fn a_look_at_the_devices_is_answered_without_a_job() {
    let mut dialogue = Dialogue::new(manner(Status::Dle, true), Patience::default());
    assert!(!dialogue.wants_link());
    dialogue.look(0);
    assert!(dialogue.wants_link());
    dialogue.opened(0);
    dialogue.wrote(dialogue.to_write().len(), 0);
    dialogue.heard(&[0x16, 0x16, 0x12], 1);
    let events: Vec<_> = std::iter::from_fn(|| dialogue.next_event()).collect();
    assert!(events.contains(&PrinterEvent::Trouble(Trouble::CoverOpen)), "{events:?}");
    assert_eq!((dialogue.wants_link(), dialogue.deadline()), (false, None));
}

/// Everything left this side, and the network lost the end of it: the next receipt must not become
/// dots of the last one's picture.
#[test]
fn after_a_lost_link_the_rest_of_a_picture_is_made_up_for() {
    for manner in [manner(Status::Dle, true), manner(Status::None, false)] {
        let mut dialogue = Dialogue::new(manner, Patience::default());
        let send_all = |dialogue: &mut Dialogue| {
            let mut sent = Vec::new();
            while !dialogue.to_write().is_empty() {
                sent.extend(dialogue.to_write());
                dialogue.wrote(dialogue.to_write().len(), 1);
                dialogue.heard(&[0x12, 0x12, 0x12], 1);
            }
            sent
        };
        dialogue.opened(0);
        dialogue.submit(paper(7), 0);
        send_all(&mut dialogue);
        dialogue.lost(Trouble::Absent, 2);
        dialogue.opened(3);
        dialogue.submit(paper(8), 3);
        let sent = send_all(&mut dialogue);
        let begun = find(&sent, PAPER).expect("the next receipt");
        let rest = [vec![0; PAPER.len()], vec![0x10, 5, 2, 0x1b, b'@']].concat();
        assert!(sent[..begun].ends_with(&rest), "{manner:?}: {:02x?}", &sent[..begun]);
    }
}

/// The system has taken the drawer's command, and the line lost the end of it before the receipt's first
/// byte: the receipt's own first command must not become that end.
#[test]
fn after_a_lost_pulse_a_receipt_that_had_not_begun_starts_clean() {
    for manner in [manner(Status::Dle, true), manner(Status::None, false)] {
        let mut dialogue = Dialogue::new(manner, Patience::default());
        dialogue.opened(0);
        let mut asked = Vec::new();
        for (job, want) in [(paper(7), PAPER), (drawer(3), &PULSE), (paper(8), PAPER)] {
            dialogue.submit(job, 1);
            while find(dialogue.to_write(), want).is_none() {
                assert!(!dialogue.to_write().is_empty(), "{manner:?}: {want:02x?}");
                dialogue.wrote(dialogue.to_write().len(), 1);
                dialogue.heard(&[0x12, 0x12, 0x12], 1);
            }
            asked = dialogue.to_write().to_vec();
            if want == PULSE || asked.starts_with(PAPER) {
                continue; // The receipt that has not begun stays where it is.
            }
            dialogue.wrote(asked.len(), 1);
            dialogue.heard(
                &[[0x37, 0x22].as_slice(), &ProcessId::of(7).request()[7..], &[0]].concat(),
                1,
            );
        }
        assert!(asked.starts_with(PAPER), "{manner:?}: {asked:02x?}");
        dialogue.lost(Trouble::Absent, 2);
        dialogue.opened(3);
        let next = dialogue.to_write();
        assert!(next.starts_with(&[0; PULSE.len()]), "{manner:?}: {next:02x?}");
    }
}

#[test]
fn a_drawer_opens_though_the_printer_may_wait_for_the_rest_of_a_picture() {
    for (manner, want) in [
        (manner(Status::Dle, true), PULSE_NOW.to_vec()),
        (manner(Status::None, false), [vec![0; 900], PULSE.to_vec()].concat()),
    ] {
        let mut dialogue = Dialogue::new(manner, Patience::default());
        dialogue.begun_before(900);
        dialogue.submit(drawer(3), 0);
        dialogue.opened(0);
        let mut sent = Vec::new();
        while !dialogue.to_write().is_empty() {
            sent.extend(dialogue.to_write());
            dialogue.wrote(dialogue.to_write().len(), 1);
            dialogue.heard(&[0x12, 0x12, 0x12], 1);
        }
        assert!(sent.ends_with(&want), "{manner:?}: {sent:02x?}");
    }
}
