//! Every fault at every byte: a receipt is never printed twice without a mark.
//!
//! Room: devices, tests. May touch: the dialogue, a printer made of a few fields.
//! Invariant proved: over all byte offsets and faults, a job is sent once, and ends once, in words.

use super::dialogue::{Dialogue, Manner, Patience};
use super::soft_printer::{
    FAULTS, Fault, PAPER, PULSE, PULSE_NOW, STAR_PULSE, STEP_MS, SoftPrinter, count, find,
};
use super::status::{ProcessId, Trouble};
use super::{Job, JobKind, PrinterEvent, Proof};
use crate::devices::profile::{Language, Level, Status};

fn paper(id: u64) -> Job {
    Job { id, name: format!("receipt-{id}"), bytes: PAPER.to_vec(), kind: JobKind::Paper }
}

fn drawer(id: u64) -> Job {
    let kind = JobKind::Drawer { real_time: Some(PULSE_NOW.to_vec()) };
    Job { id, name: "drawer".into(), bytes: PULSE.to_vec(), kind }
}

fn star_drawer(id: u64) -> Job {
    let kind = JobKind::Drawer { real_time: None };
    Job { id, name: "drawer".into(), bytes: STAR_PULSE.to_vec(), kind }
}

fn manner(status: Status, process_id: bool) -> Manner {
    let language = if status == Status::Star { Language::Star } else { Language::Escpos };
    Manner { language, status, process_id, drawer_open: Level::High }
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
        manner(Status::Star, true),
        manner(Status::Star, false),
        manner(Status::Sii, false),
    ];
    for manner in manners {
        for fault in FAULTS {
            for at in 0..PAPER.len() + 40 {
                let run = play(manner, vec![paper(7)], SoftPrinter::new(manner, fault, at));
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
        (manner(Status::Star, true), Proof::ProcessId),
        (manner(Status::Star, false), Proof::Status),
        (manner(Status::Sii, false), Proof::Status),
        (manner(Status::None, false), Proof::Probably),
    ] {
        let run = play(manner, vec![paper(7)], SoftPrinter::new(manner, Fault::None, 0));
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
    for (manner, proof) in [
        (manner(Status::Dle, true), Proof::ProcessId),
        (manner(Status::Star, true), Proof::ProcessId),
        (manner(Status::Star, false), Proof::Status),
        (manner(Status::Sii, false), Proof::Status),
    ] {
        let run = play(manner, vec![paper(7)], SoftPrinter::new(manner, Fault::PaperEnds, 20));
        assert!(run.events.contains(&PrinterEvent::Trouble(Trouble::PaperOut)), "{:?}", run.events);
        let is_state =
            |e: &&PrinterEvent| matches!(e, PrinterEvent::Ready | PrinterEvent::Trouble(_));
        assert_eq!(run.events.iter().rfind(is_state), Some(&PrinterEvent::Ready));
        assert_eq!(ends(&run.events, 7), [&PrinterEvent::Done { job: 7, proof }]);
        assert_eq!(count(&run.printer.printed, PAPER), 1);
    }
}

#[test]
fn a_power_cycled_printer_leaves_a_question_not_a_second_receipt() {
    for (manner, proof) in [
        (manner(Status::Dle, true), Proof::ProcessId),
        (manner(Status::Star, true), Proof::ProcessId),
        (manner(Status::Star, false), Proof::Status),
        (manner(Status::Sii, false), Proof::Status),
    ] {
        let silent = SoftPrinter::new(manner, Fault::PowerCycles, 30);
        let run = play(manner, vec![paper(7), paper(8)], silent);
        assert!(matches!(
            ends(&run.events, 7)[..],
            [PrinterEvent::Uncertain { .. }] | [PrinterEvent::Done { .. }]
        ));
        assert_eq!(ends(&run.events, 8), [&PrinterEvent::Done { job: 8, proof }]);
    }
}

#[test]
fn the_drawer_opens_once_though_the_paper_is_out() {
    for fault in FAULTS {
        for at in 0..30 {
            for manner in [manner(Status::Dle, true), manner(Status::None, false)] {
                let run =
                    play(manner, vec![drawer(3), paper(7)], SoftPrinter::new(manner, fault, at));
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

/// Star's pulse waits behind whatever the printer waits for: sent into trouble it would open the drawer later.
#[test]
fn a_drawer_without_a_pulse_for_now_opens_at_once_or_is_given_up() {
    for fault in FAULTS {
        for at in 0..30 {
            for manner in [manner(Status::Star, true), manner(Status::Star, false)] {
                let printer = SoftPrinter::new(manner, fault, at);
                let run = play(manner, vec![star_drawer(3), paper(7)], printer);
                let context = format!("{manner:?} {fault:?} at {at}: {:?}", run.events);
                assert!(run.printer.pulses <= 1, "{context}");
                // One: the step in which a stalled pulse is given up.
                assert!(run.steps_without_sleep <= 1, "{context}");
                let given_up = PrinterEvent::NotSent { job: 3, trouble: Trouble::PaperOut };
                match ends(&run.events, 3)[..] {
                    [PrinterEvent::Done { .. } | PrinterEvent::Uncertain { .. }] => {}
                    [end @ PrinterEvent::NotSent { .. }] => {
                        assert_eq!(run.printer.pulses, 0, "{context}");
                        assert!(fault != Fault::PaperEnds || *end == given_up, "{context}");
                    }
                    _ => panic!("a pulse ends once: {context}"),
                }
            }
        }
    }
}

/// The count that proves a paper may stand there from a run before: it proves nothing then.
#[test]
fn a_count_that_the_printer_shows_already_proves_no_paper() {
    for shown in 0..32 {
        let manner = manner(Status::Star, false);
        let mut printer = SoftPrinter::new(manner, Fault::CoverOpens, 0);
        printer.count = shown;
        printer.at = 10; // The cover opens on the first bytes, and the paper waits in the buffer.
        let run = play(manner, vec![paper(7)], printer);
        assert_eq!(ends(&run.events, 7).len(), 1);
        let opened =
            run.events.iter().position(|e| *e == PrinterEvent::Trouble(Trouble::CoverOpen));
        let done = run.events.iter().position(|e| matches!(e, PrinterEvent::Done { .. }));
        assert!(opened.is_some() && opened < done, "{shown}: {:?}", run.events);
        assert_eq!(count(&run.printer.printed, PAPER), 1);
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
