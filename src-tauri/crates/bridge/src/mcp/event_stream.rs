//! Reads an event stream part by part (HTML Living Standard, 9.2.6).

/// The longest event. A message that is longer fails, and nothing else.
const MAX_EVENT_BYTES: usize = 16 * 1024 * 1024;
/// The longest id of an event, which is sent back as a header.
const MAX_ID_BYTES: usize = 4096;

/// One event.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Event {
    /// Empty for a `message`.
    pub(super) name: String,
    /// Its lines of data, with a space in between: they are JSON, where a space means what a line end does.
    pub(super) data: Vec<u8>,
}

impl Event {
    /// Whether it holds a message of JSON-RPC.
    pub(super) fn is_message(&self) -> bool {
        matches!(self.name.as_str(), "" | "message") && !self.data.is_empty()
    }
}

/// An event is too long.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLong;

/// What was read of a stream so far.
#[derive(Default)]
pub(super) struct EventStream {
    line: Vec<u8>,
    event: Event,
    has_data: bool,
    after_return: bool,
    is_begun: bool,
    /// The id of the last event, with which the stream is resumed.
    pub(super) last_id: Option<String>,
    /// When to try again, in milliseconds, if the server says so.
    pub(super) retry: Option<u64>,
}

impl EventStream {
    /// A stream that continues another one.
    pub(super) fn after(last_id: Option<String>, retry: Option<u64>) -> Self {
        Self {
            last_id,
            retry,
            ..Self::default()
        }
    }

    /// Reads the next part, and returns the events that it completes.
    ///
    /// # Errors
    /// When an event is too long.
    pub(super) fn read(&mut self, mut part: &[u8]) -> Result<Vec<Event>, TooLong> {
        let mut events = Vec::new();
        if self.after_return && part.first() == Some(&b'\n') {
            part = &part[1..];
        }
        self.after_return = false;
        while let Some(at) = part.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            self.extend(&part[..at])?;
            let is_return = part[at] == b'\r';
            part = &part[at + 1..];
            if is_return {
                match part.first() {
                    Some(b'\n') => part = &part[1..],
                    None => self.after_return = true,
                    Some(_) => {}
                }
            }
            events.extend(self.end_line());
        }
        self.extend(part)?;
        Ok(events)
    }

    fn extend(&mut self, bytes: &[u8]) -> Result<(), TooLong> {
        if self.line.len() + self.event.data.len() + bytes.len() > MAX_EVENT_BYTES {
            return Err(TooLong);
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    fn end_line(&mut self) -> Option<Event> {
        let mut line = std::mem::take(&mut self.line);
        if !std::mem::replace(&mut self.is_begun, true) && line.starts_with(b"\xef\xbb\xbf") {
            line.drain(..3);
        }
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            return std::mem::take(&mut self.has_data).then_some(event);
        }
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        let start = match line.get(colon + 1) {
            Some(b' ') => colon + 2,
            _ => (colon + 1).min(line.len()),
        };
        match &line[..colon] {
            b"data" if self.has_data => {
                self.event.data.push(b' ');
                self.event.data.extend_from_slice(&line[start..]);
            }
            b"data" => {
                self.has_data = true;
                line.drain(..start);
                self.event.data = line;
            }
            b"event" => self.event.name = String::from_utf8_lossy(&line[start..]).into_owned(),
            b"id" => self.id(&line[start..]),
            b"retry" => {
                let text = std::str::from_utf8(&line[start..]).unwrap_or_default();
                let digits = text.bytes().all(|byte| byte.is_ascii_digit());
                self.retry = text.parse().ok().filter(|_| digits).or(self.retry);
            }
            _ => {}
        }
        None
    }

    /// One that cannot be sent back is not kept.
    fn id(&mut self, id: &[u8]) {
        let is_visible = id.iter().all(|byte| matches!(byte, b' '..=b'~'));
        if is_visible && id.len() <= MAX_ID_BYTES {
            let id = String::from_utf8_lossy(id).into_owned();
            self.last_id = Some(id).filter(|id| !id.is_empty());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(parts: &[&[u8]]) -> (Vec<(String, String)>, EventStream) {
        let mut stream = EventStream::default();
        let mut all = Vec::new();
        for part in parts {
            for event in stream.read(part).unwrap() {
                all.push((event.name, String::from_utf8(event.data).unwrap()));
            }
        }
        (all, stream)
    }

    #[test]
    fn events_are_the_same_however_their_bytes_arrive() {
        let text = b"\xef\xbb\xbfid: 1\nretry: 250\ndata: {\"a\":\ndata:  1}\n\n: comment\r\nevent: endpoint\rdata:/x\r\r\ndata\n\n\
                     id: 2\n\nnothing: here\n\ndata: unfinished";
        let expected = [("", "{\"a\":  1}"), ("endpoint", "/x"), ("", "")];
        for size in 1..text.len() {
            let (events, stream) = events(&text.chunks(size).collect::<Vec<_>>());
            let found: Vec<_> = events.iter().map(|(name, data)| (&**name, &**data)).collect();
            assert_eq!(found, expected, "in parts of {size}");
            assert_eq!((stream.last_id.as_deref(), stream.retry), (Some("2"), Some(250)));
        }
    }

    #[test]
    fn ids_and_delays_that_make_no_sense_are_not_kept() {
        let (_, stream) = events(&[b"id: a\nid: b\0c\nid: \x1b[31m\nid: \xff\nretry: 5\nretry: -1\nretry: x\nretry: 99999999999999999999999\n"]);
        assert_eq!((stream.last_id.as_deref(), stream.retry), (Some("a"), Some(5)));
        let long = format!("id: a\nid: {}\n", "b".repeat(MAX_ID_BYTES + 1));
        assert_eq!(events(&[long.as_bytes()]).1.last_id.as_deref(), Some("a"));
        assert_eq!(events(&[b"id: a\nid\n"]).1.last_id, None);
    }

    #[test]
    fn an_event_without_an_end_is_not_collected_for_ever() {
        let mut stream = EventStream::default();
        let part = vec![b'a'; 1024 * 1024];
        let failed = (0..32).find(|_| stream.read(&part).is_err());
        assert!(failed.is_some());
        let mut stream = EventStream::default();
        let failed = (0..32).find(|_| {
            stream.read(b"data:").is_err() || stream.read(&part).is_err() || stream.read(b"\n").is_err()
        });
        assert!(failed.is_some());
    }
}
