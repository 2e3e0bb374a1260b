//! What reaches the streams.

use std::sync::{Arc, Mutex};

use super::*;
use crate::error::{Expected, Trying as _};

/// A stream that a test reads afterwards.
#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Captured {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

fn shell(settings: Settings) -> (Shell, Captured, Captured) {
    let (out, err) = (Captured::default(), Captured::default());
    (Shell::with_writers(Box::new(out.clone()), Box::new(err.clone()), settings), out, err)
}

#[derive(Debug, thiserror::Error)]
#[error("no such \u{1b}[31mbench")]
struct Failure;

impl Expected for Failure {
    fn hint(&self) -> Option<String> {
        Some("did you mean `parse`?\nor `render`?".into())
    }
}

#[test]
fn status_lines_look_like_cargos() {
    let (mut shell, out, err) = shell(Settings::default());
    shell.status("Building", "base 3f2c1aa");
    shell.warn("noisy");
    shell.note("n");
    shell.detail("Running", "only with --verbose");
    assert_eq!(err.text(), "    Building base 3f2c1aa\nwarning: noisy\nnote: n\n");
    assert_eq!(out.text(), "", "results only");
}

#[test]
fn an_error_says_the_way_out_and_draws_nothing() {
    let (mut shell, _, err) = shell(Settings::default());
    let failed: Result<(), _> = Err(Failure);
    shell.error(&failed.trying("find the bench").unwrap_err());
    assert_eq!(
        err.text(),
        "error: failed to find the bench: no such [31mbench\n  = help: did you mean `parse`?\n          or `render`?\n"
    );
}

#[test]
fn quiet_leaves_results_warnings_and_errors() {
    let (mut shell, out, err) = shell(Settings { quiet: true, ..Settings::default() });
    shell.status("Building", "x");
    shell.note("x");
    shell.warn("w");
    shell.result(|out| writeln!(out, "r")).unwrap();
    assert_eq!((out.text().as_str(), err.text().as_str()), ("r\n", "warning: w\n"));
}

#[test]
fn colours_are_written_when_asked_for() {
    let (mut shell, _, err) = shell(Settings { color: ColorWhen::Always, ..Settings::default() });
    shell.status("Building", "x");
    assert_eq!(err.text(), "\u{1b}[1m\u{1b}[32m    Building\u{1b}[0m x\n");
    assert!(shell.look().color);
}

/// A reader that has gone away.
struct Closed(io::ErrorKind);

impl Write for Closed {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Err(self.0.into())
    }
}

#[test]
fn a_reader_that_went_away_is_no_failure_but_a_full_disk_is() {
    let with = |kind| {
        let mut shell = Shell::with_writers(Box::new(Closed(kind)), Box::new(Closed(kind)), Settings::default());
        shell.status("Building", "stderr may be gone too");
        shell.result(|out| writeln!(out, "r"))
    };
    assert!(with(io::ErrorKind::BrokenPipe).is_ok());
    assert_eq!(with(io::ErrorKind::StorageFull).unwrap_err().kind(), io::ErrorKind::StorageFull);
}

#[test]
fn progress_that_nobody_watches_leaves_no_trace() {
    let (mut shell, out, err) = shell(Settings::default());
    let progress = shell.progress("Measuring", Some(3));
    progress.set_message("parse/large");
    progress.inc();
    shell.status("Measured", "1");
    progress.finish();
    assert_eq!((out.text().as_str(), err.text().as_str()), ("", "    Measured 1\n"));
}
