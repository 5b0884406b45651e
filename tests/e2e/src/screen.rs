//! The screen as its server knows it: which windows are shown, how big they are, and the
//! button that closes one.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{
    AtomEnum, ClientMessageEvent, ConfigureWindowAux, ConnectionExt as _, EventMask, ImageFormat,
    MapState, Window,
};
use x11rb::rust_connection::RustConnection;

/// One of so many points is looked at.
const GRID: usize = 7;

/// A connection to a screen.
pub struct Screen {
    connection: RustConnection,
    root: Window,
}

impl Screen {
    /// Connects to a display, such as `:7`.
    pub fn of(display: &str) -> Result<Self> {
        let (connection, number) = RustConnection::connect(Some(display))?;
        let root = connection.setup().roots[number].root;
        Ok(Self { connection, root })
    }

    /// Whether a window of this title can be seen.
    pub fn shows(&self, title: &str) -> Result<bool> {
        let Some(window) = self.find(title)? else {
            return Ok(false);
        };
        let attributes = self.connection.get_window_attributes(window)?.reply()?;
        Ok(attributes.map_state == MapState::VIEWABLE)
    }

    /// What the button of a window that closes it sends.
    pub fn close(&self, title: &str) -> Result<()> {
        let window = self.find(title)?.context("no such window")?;
        let protocols = self.atom("WM_PROTOCOLS")?;
        let close = self.atom("WM_DELETE_WINDOW")?;
        let message = ClientMessageEvent::new(32, window, protocols, [close, 0, 0, 0, 0]);
        self.connection
            .send_event(false, window, EventMask::NO_EVENT, message)?
            .check()?;
        Ok(())
    }

    /// Width and height of a window.
    pub fn size(&self, title: &str) -> Result<(u16, u16)> {
        let window = self.find(title)?.context("no such window")?;
        let shape = self.connection.get_geometry(window)?.reply()?;
        Ok((shape.width, shape.height))
    }

    /// Makes a window so big.
    pub fn resize(&self, title: &str, width: u32, height: u32) -> Result<()> {
        let window = self.find(title)?.context("no such window")?;
        let shape = ConfigureWindowAux::new().width(width).height(height);
        self.connection.configure_window(window, &shape)?.check()?;
        Ok(())
    }

    /// A window of this title that can be closed; helpers of toolkits cannot.
    fn find(&self, title: &str) -> Result<Option<Window>> {
        let protocols = self.atom("WM_PROTOCOLS")?;
        for window in self.connection.query_tree(self.root)?.reply()?.children {
            let named = self.text(window, AtomEnum::WM_NAME.into())?;
            if named == title.as_bytes() && !self.text(window, protocols)?.is_empty() {
                return Ok(Some(window));
            }
        }
        Ok(None)
    }

    /// How many colours a window shows, in a grid of its points; none if it is not shown.
    pub fn colours(&self, title: &str) -> Result<usize> {
        if !self.shows(title)? {
            return Ok(0);
        }
        let window = self.find(title)?.context("no such window")?;
        let (width, height) = self.size(title)?;
        let image = self.connection.get_image(
            ImageFormat::Z_PIXMAP,
            window,
            0,
            0,
            width,
            height,
            u32::MAX,
        )?;
        // It may have changed its size meanwhile; the next look sees it.
        let Ok(image) = image.reply() else {
            return Ok(0);
        };
        let points = image.data.chunks_exact(4).step_by(GRID);
        Ok(points.collect::<BTreeSet<_>>().len())
    }

    /// Windows as the server has them, for whoever looks into a failure.
    pub fn describe(&self) -> Result<String> {
        let mut lines = String::new();
        for window in self.connection.query_tree(self.root)?.reply()?.children {
            let name = self.text(window, AtomEnum::WM_NAME.into())?;
            let protocols = self.text(window, self.atom("WM_PROTOCOLS")?)?.len();
            let state = self.connection.get_window_attributes(window)?.reply()?;
            let shape = self.connection.get_geometry(window)?.reply()?;
            lines += &format!(
                "{window:#x} {:?} protocols {protocols} {:?} {}x{}\n",
                String::from_utf8_lossy(&name),
                state.map_state,
                shape.width,
                shape.height
            );
        }
        Ok(lines)
    }

    fn text(&self, window: Window, property: u32) -> Result<Vec<u8>> {
        let any = u32::from(AtomEnum::ANY);
        let read = self
            .connection
            .get_property(false, window, property, any, 0, 1_024)?;
        // It may have gone since it was listed.
        Ok(read.reply().map(|it| it.value).unwrap_or_default())
    }

    fn atom(&self, name: &str) -> Result<u32> {
        let asked = self.connection.intern_atom(false, name.as_bytes())?;
        Ok(asked.reply()?.atom)
    }
}
