//! What a window manager does for a person, where there is none.

use crate::desktop_session::DesktopSession;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    AtomEnum, ClientMessageEvent, ConnectionExt, EventMask, ImageFormat, Window, WindowClass,
};
use x11rb::rust_connection::RustConnection;

/// Asks the window with this title to close, as the button in its frame does (ICCCM §4.2.8.1).
///
/// # Panics
/// When there is no such window.
pub fn ask_to_close(session: &DesktopSession, title: &str) {
    let display = session.env()["DISPLAY"].to_str().unwrap();
    let (x, screen) = x11rb::connect(Some(display)).unwrap();
    let root = x.setup().roots[screen].root;
    let atom = |name: &str| {
        x.intern_atom(false, name.as_bytes())
            .unwrap()
            .reply()
            .unwrap()
            .atom
    };
    let (protocols, delete) = (atom("WM_PROTOCOLS"), atom("WM_DELETE_WINDOW"));
    let window = find(&x, root, title, protocols).expect("a window with this title");
    let message = ClientMessageEvent::new(32, window, protocols, [delete, x11rb::CURRENT_TIME, 0, 0, 0]);
    x.send_event(false, window, EventMask::NO_EVENT, message)
        .unwrap()
        .check()
        .unwrap();
}

/// Looks at windows as a person does: at what is on the screen.
pub struct Eye {
    x: RustConnection,
    root: Window,
    protocols: u32,
}

impl Eye {
    /// An eye on this session's display.
    pub fn open(session: &DesktopSession) -> Self {
        let display = session.env()["DISPLAY"].to_str().unwrap();
        let (x, screen) = x11rb::connect(Some(display)).unwrap();
        let root = x.setup().roots[screen].root;
        let protocols = x.intern_atom(false, b"WM_PROTOCOLS").unwrap();
        let protocols = protocols.reply().unwrap().atom;
        Self { x, root, protocols }
    }

    /// Whether there is a window with this title.
    pub fn sees(&self, title: &str) -> bool {
        find(&self.x, self.root, title, self.protocols).is_some()
    }

    /// Whether the window with this title shows more than one colour. Before that a person has nothing to act on, and
    /// the toolkit may not hear what its window manager says yet.
    pub fn sees_painted(&self, title: &str) -> bool {
        self.picture(title).is_some_and(|picture| picture.is_painted())
    }

    /// What the window with this title shows; `None` while there is none to be seen.
    pub fn picture(&self, title: &str) -> Option<Picture> {
        let window = find(&self.x, self.root, title, self.protocols)?;
        let size = self.x.get_geometry(window).unwrap().reply().ok()?;
        let (format, whole) = (ImageFormat::Z_PIXMAP, u32::MAX);
        let image = self
            .x
            .get_image(format, window, 0, 0, size.width, size.height, whole);
        image.unwrap().reply().ok().map(|image| Picture {
            width: size.width,
            height: size.height,
            points: image.data,
        })
    }
}

/// The text on the clipboard, as a program hears it that pastes (ICCCM §2.2). `None` where there is none.
///
/// # Panics
/// When the display does not answer.
pub fn clipboard(session: &DesktopSession) -> Option<String> {
    let display = session.env()["DISPLAY"].to_str().unwrap();
    let (x, screen) = x11rb::connect(Some(display)).unwrap();
    let root = x.setup().roots[screen].root;
    let atom = |name: &str| {
        x.intern_atom(false, name.as_bytes())
            .unwrap()
            .reply()
            .unwrap()
            .atom
    };
    let (selection, text, here) = (atom("CLIPBOARD"), atom("UTF8_STRING"), atom("PASTED"));
    let window = x.generate_id().unwrap();
    x.create_window(
        0,
        window,
        root,
        0,
        0,
        1,
        1,
        0,
        WindowClass::INPUT_ONLY,
        0,
        &Default::default(),
    )
    .unwrap();
    x.convert_selection(window, selection, text, here, x11rb::CURRENT_TIME)
        .unwrap();
    x.flush().unwrap();
    loop {
        if let Event::SelectionNotify(told) = x.wait_for_event().unwrap() {
            if told.property == x11rb::NONE {
                return None;
            }
            let property = x.get_property(false, window, here, AtomEnum::ANY, 0, 1 << 16);
            let value = property.unwrap().reply().unwrap().value;
            return Some(String::from_utf8_lossy(&value).into_owned());
        }
    }
}

/// What a window shows.
#[derive(Debug, PartialEq, Eq)]
pub struct Picture {
    width: u16,
    height: u16,
    /// Blue, green, red and nothing, for each point of a display with 24 bits, row by row.
    points: Vec<u8>,
}

impl Picture {
    /// Whether there is more to see than one colour.
    pub fn is_painted(&self) -> bool {
        let first = &self.points[..4];
        self.points.chunks_exact(4).any(|point| point != first)
    }

    /// Writes it to a PNG file.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn write_png(&self, file: &Path) {
        let colours = self.points.chunks_exact(4).flat_map(|p| [p[2], p[1], p[0]]);
        let file = BufWriter::new(File::create(file).unwrap());
        let mut encoder = png::Encoder::new(file, self.width.into(), self.height.into());
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_compression(png::Compression::High);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(&colours.collect::<Vec<_>>()).unwrap();
        writer.finish().unwrap();
    }
}

/// The window below this one that has the title and can be asked something.
fn find(x: &RustConnection, below: Window, title: &str, protocols: u32) -> Option<Window> {
    let children = x.query_tree(below).unwrap().reply().ok()?.children;
    let named = |window: &Window| {
        let property = |atom: u32| {
            let all = x
                .get_property(false, *window, atom, AtomEnum::ANY, 0, 256)
                .unwrap();
            all.reply().map(|property| property.value).unwrap_or_default()
        };
        property(AtomEnum::WM_NAME.into()) == title.as_bytes() && !property(protocols).is_empty()
    };
    let here = children.iter().copied().find(named);
    here.or_else(|| {
        children
            .iter()
            .find_map(|child| find(x, *child, title, protocols))
    })
}
