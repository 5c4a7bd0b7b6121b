//! A log whose events are lines, and which stops nobody when it cannot be written.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use tracing_subscriber::fmt::MakeWriter;

/// Keeps each event on one line, whatever its values hold: a value with a line break cannot forge an event.
pub(super) struct OneLine<W> {
    output: W,
    /// An event was written in part, and its line has no end.
    is_open: AtomicBool,
}

impl<W> OneLine<W> {
    pub(super) fn new(output: W) -> Self {
        Self { output, is_open: AtomicBool::new(false) }
    }
}

impl<'w, W: MakeWriter<'w> + 'w> MakeWriter<'w> for OneLine<W> {
    type Writer = OneLineWriter<'w, W::Writer>;

    fn make_writer(&'w self) -> Self::Writer {
        OneLineWriter { output: self.output.make_writer(), is_open: &self.is_open }
    }
}

pub(super) struct OneLineWriter<'o, W> {
    output: W,
    is_open: &'o AtomicBool,
}

impl<W: Write> OneLineWriter<'_, W> {
    fn put(&mut self, line: &[u8]) -> io::Result<()> {
        let mut written = 0;
        while let Some(rest) = line.get(written..).filter(|rest| !rest.is_empty()) {
            match self.output.write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    written += count;
                    self.is_open.store(written < line.len(), Ordering::Relaxed);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl<W: Write> Write for OneLineWriter<'_, W> {
    /// An event comes as one call, its line break last. It never fails: a log that cannot be written stops nobody.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let (text, end) = event.split_last().map_or((event, &[][..]), |(last, text)| {
            if *last == b'\n' { (text, &b"\n"[..]) } else { (event, &[][..]) }
        });
        let mut line = Vec::with_capacity(event.len() + 1);
        if self.is_open.load(Ordering::Relaxed) {
            line.push(b'\n');
        }
        for byte in text {
            match byte {
                b'\n' => line.extend_from_slice(b"\\n"),
                b'\r' => line.extend_from_slice(b"\\r"),
                other => line.push(*other),
            }
        }
        line.extend_from_slice(end);
        drop(self.put(&line));
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// Has room for so many bytes.
    #[derive(Clone)]
    struct FullDisk(Arc<Mutex<(usize, Vec<u8>)>>);

    impl Write for FullDisk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let (room, page) = &mut *self.0.lock().unwrap();
            let fits = bytes.len().min(*room);
            if fits == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            *room -= fits;
            page.extend_from_slice(&bytes[..fits]);
            Ok(fits)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_event_without_room_is_lost_and_the_next_one_has_a_line_of_its_own() {
        let disk = FullDisk(Arc::new(Mutex::new((5, Vec::new()))));
        let copy = disk.clone();
        let log = OneLine::new(move || copy.clone());
        let write = |event: &[u8]| log.make_writer().write_all(event);
        assert!(write(b"cut off\n").is_ok() && write(b"lost\n").is_ok());
        disk.0.lock().unwrap().0 = 100;
        assert!(write(b"first\n").is_ok() && write(b"second\n").is_ok());
        let text = String::from_utf8(disk.0.lock().unwrap().1.clone()).unwrap();
        assert_eq!(text, "cut o\nfirst\nsecond\n");
    }
}
