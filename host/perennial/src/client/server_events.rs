//! Reads server-sent events (WHATWG HTML, section 9.2) from the bytes of a stream, in whatever pieces they come.

/// What has come of a stream.
pub(crate) struct ServerEvents {
    /// What has come of a line that has not ended.
    rest: Vec<u8>,
    data: String,
    /// The `id` of the event that is coming: it counts once all of the event has come.
    id: Option<String>,
    last_id: Option<String>,
}

impl ServerEvents {
    /// A stream of which nothing has come; `last` is the event that it is to begin after.
    pub(crate) fn new(last: Option<String>) -> ServerEvents {
        ServerEvents { rest: Vec::new(), data: String::new(), id: None, last_id: last }
    }

    /// The event to go on after.
    pub(crate) fn last_id(&self) -> Option<&str> {
        self.last_id.as_deref()
    }

    /// The data of each event that ends in these bytes.
    pub(crate) fn read(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut events = Vec::new();
        for byte in bytes {
            if *byte != b'\n' {
                self.rest.push(*byte);
                continue;
            }
            let line = std::mem::take(&mut self.rest);
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end_matches('\r');
            if line.is_empty() {
                self.last_id = self.id.take().or(self.last_id.take());
                let data = std::mem::take(&mut self.data);
                events.extend(Some(data).filter(|data| !data.is_empty()));
                continue;
            }
            let (name, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match name {
                "id" => self.id = Some(value.to_owned()),
                "data" if self.data.is_empty() => self.data = value.to_owned(),
                "data" => self.data = format!("{}\n{value}", self.data),
                _ => {}
            }
        }
        events
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_in_whatever_pieces_they_come() {
        let text = ": hello\nid: c1\nevent: a\ndata: {\"x\":\ndata: 1}\n\nid: c2\n\nid: c3\r\ndata: é\r\n\r\nid: c4\ndata: half";
        let mut at_once = ServerEvents::new(Some("c0".to_owned()));
        assert_eq!(at_once.last_id(), Some("c0"));
        let expected = ["{\"x\":\n1}".to_owned(), "é".to_owned()];
        assert_eq!(at_once.read(text.as_bytes()), expected);
        let mut byte_by_byte = ServerEvents::new(None);
        let read = text.bytes().flat_map(|byte| byte_by_byte.read(&[byte])).collect::<Vec<_>>();
        assert_eq!(read, expected);
        assert_eq!(byte_by_byte.last_id(), Some("c3"));
    }
}
