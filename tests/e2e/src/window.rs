//! The desktop application as a person has it: the real window in the real WebView, on a screen
//! of its own that nobody sees, moved through WebDriver.

use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

use crate::machine::Machine;
use crate::process::Process;
use crate::screen::Screen;
use crate::wait::eventually;
use crate::witness::listens_at;
use crate::world::{World, built_window};

/// How long something on the screen may take to appear.
const SOON: Duration = Duration::from_secs(60);
/// How long one word with the driver may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);
/// Ports that are tried for a driver.
const DRIVER_PORTS: u32 = 5;
/// The key under which WebDriver names elements, by its standard.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// Where a dropped folder lands: well within the window.
const DROP_POINT: (u32, u32) = (620, 420);

/// A screen, a session bus and a driver; all end with it.
pub struct Desktop {
    driver: Process,
    bus: Process,
    screen: Process,
    address: String,
    person: Person,
}

/// Folders, screen and bus of a person, away from those of whoever runs the tests.
struct Person {
    folder: PathBuf,
    display: String,
    bus: String,
}

/// The application on a desktop.
pub struct Window<'a> {
    desktop: &'a Desktop,
    session: String,
}

impl Desktop {
    /// Starts a screen of 1280 × 860 with what belongs to it.
    pub fn start(world: &World, name: &str) -> Result<Self> {
        let folder = world.make_folder(name)?;
        let log = folder.join("log");
        let mut screen = Command::new("Xvfb");
        screen.args(["-displayfd", "1", "-screen", "0", "1280x860x24"]);
        // It outlives the last of its windows, as screens do.
        screen.args(["-nolisten", "tcp", "-noreset"]);
        let screen = Process::spawn(screen, &log, None)?;
        let number = screen
            .line(Instant::now() + SOON)?
            .context("the screen did not start")?;
        let mut bus = Command::new("dbus-daemon");
        bus.args(["--session", "--nofork", "--print-address"]);
        live_in(&mut bus, &folder)?;
        let bus = Process::spawn(bus, &log, None)?;
        let address = bus.line(Instant::now() + SOON)?;
        let person = Person {
            folder,
            display: format!(":{number}"),
            bus: address.context("the bus did not start")?,
        };
        let (driver, address) = start_driver(&person, &log)?;
        Ok(Self {
            driver,
            bus,
            screen,
            address,
            person,
        })
    }

    /// Opens the application for the home of a machine. Commands of the machine join it.
    pub fn open(&self, machine: &Machine) -> Result<Window<'_>> {
        self.open_with(machine, &[])
    }

    /// The same, with more words than the home needs.
    pub fn open_with(&self, machine: &Machine, words: &[&str]) -> Result<Window<'_>> {
        self.open_through(&built_window()?, machine, words)
    }

    /// The same through a program that begins the application.
    pub fn open_through(
        &self,
        program: &Path,
        machine: &Machine,
        words: &[&str],
    ) -> Result<Window<'_>> {
        let mut arguments = machine.window_arguments();
        arguments.extend(words.iter().map(|it| (*it).to_owned()));
        let options = json!({ "binary": program, "args": arguments });
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "wry",
            "webkitgtk:browserOptions": options,
        } } });
        // A driver says nothing where the application ends at once: what it wrote may tell why.
        let opened = self.ask("POST", "/session", Some(&wanted));
        let opened = opened.with_context(|| {
            let written = std::fs::read_to_string(self.log()).unwrap_or_default();
            format!("no window was opened; programs on the desktop wrote:\n{written}")
        })?;
        let session = opened["sessionId"].as_str();
        Ok(Window {
            desktop: self,
            session: session.context("no session")?.to_owned(),
        })
    }

    /// Drags a folder onto the window, as a file manager does.
    pub fn drop_folder(&self, folder: &Path) -> Result<()> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/drag.py");
        // The system's own, which has the toolkit.
        let mut drag = Command::new("/usr/bin/python3");
        drag.arg(script).arg(folder);
        drag.args([DROP_POINT.0.to_string(), DROP_POINT.1.to_string()]);
        let drag = self.spawn(drag)?;
        let result = drag.line(Instant::now() + SOON)?;
        ensure!(
            result.as_deref() == Some("dropped"),
            "the folder was not taken: {result:?}"
        );
        Ok(())
    }

    /// Starts the application as a person does, not through the driver.
    pub fn start_program(&self, machine: &Machine, words: &[&str]) -> Result<Process> {
        let mut program = Command::new(built_window()?);
        program.args(machine.window_arguments()).args(words);
        self.spawn(program)
    }

    /// Starts a program on this desktop.
    pub fn spawn(&self, mut program: Command) -> Result<Process> {
        self.person.live(&mut program)?;
        Process::spawn(program, &self.log(), None)
    }

    /// What is on the screen.
    pub fn screen(&self) -> Result<Screen> {
        Screen::of(&self.person.display)
    }

    /// The person's own folder (`HOME`).
    #[must_use]
    pub fn home(&self) -> &Path {
        &self.person.folder
    }

    /// What programs on this desktop wrote to standard error.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.person.folder.join("log")
    }

    /// Whether something that the driver started still runs.
    fn driver_has_children(&self) -> Result<bool> {
        let group = self.driver.id().to_string();
        for process in std::fs::read_dir("/proc")? {
            // It may have gone since it was listed.
            let stat = std::fs::read_to_string(process?.path().join("stat")).unwrap_or_default();
            let Some((name, rest)) = stat.rsplit_once(')') else {
                continue;
            };
            let fields: Vec<&str> = rest.split_whitespace().collect();
            let is_of_it = fields.get(2) == Some(&group.as_str());
            if is_of_it && fields.first() != Some(&"Z") && !name.contains("(WebKitWebDriver") {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        ask_at(&self.address, method, path, body)
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        // All that the session began; what has ended already is no loss.
        if let Ok(raw) = i32::try_from(self.driver.id())
            && let Some(group) = rustix::process::Pid::from_raw(raw)
        {
            let kill = rustix::process::Signal::KILL;
            let _ended = rustix::process::kill_process_group(group, kill);
        }
        // In this order: what is on them ends first.
        for process in [&mut self.driver, &mut self.bus, &mut self.screen] {
            let _ended = process.kill();
        }
    }
}

impl Window<'_> {
    /// Clicks what can be clicked under this name, once it is there and enabled.
    pub fn click(&self, name: &str) -> Result<()> {
        let path = format!(
            "//*[self::button or self::a or @role='button' or @role='option' or self::label]\
             [not(@disabled)][normalize-space(.)={0} or @aria-label={0} or .//*[normalize-space(text())={0}]]",
            quoted(name)
        );
        let what = format!("something to click called {name:?}");
        eventually(&what, SOON, || {
            for element in self.find("xpath", &path)? {
                if self
                    .post(&format!("/element/{element}/click"), &json!({}))
                    .is_ok()
                {
                    return Ok(Some(()));
                }
            }
            Ok(None)
        })
        .with_context(|| format!("the window shows: {}", self.text().unwrap_or_default()))
    }

    /// Types into the field with this label.
    pub fn fill(&self, label: &str, text: &str) -> Result<()> {
        let found = self.field(label)?;
        self.post(&format!("/element/{found}/clear"), &json!({}))?;
        let keys = json!({ "text": text });
        self.post(&format!("/element/{found}/value"), &keys)?;
        Ok(())
    }

    /// What is in the field with this label.
    pub fn value(&self, label: &str) -> Result<String> {
        let found = json!({ ELEMENT: self.field(label)? });
        let value = self.run("return arguments[0].value", &json!([found]))?;
        Ok(value.as_str().unwrap_or_default().to_owned())
    }

    fn field(&self, label: &str) -> Result<String> {
        let script = "const label = arguments[0];
            const fields = [...document.querySelectorAll('input, textarea')];
            return fields.find((field) => field.getAttribute('aria-label') === label
                || [...(field.labels ?? [])].some((it) => it.textContent.trim() === label)) ?? null;";
        let what = format!("a field called {label:?}");
        eventually(&what, SOON, || {
            let found = self.run(script, &json!([label]))?;
            Ok(found[ELEMENT].as_str().map(str::to_owned))
        })
        .with_context(|| format!("the window shows: {}", self.text().unwrap_or_default()))
    }

    /// Waits until the window shows a text.
    pub fn wait_for(&self, text: &str, within: Duration) -> Result<()> {
        eventually(&format!("the window shows {text:?}"), within, || {
            Ok(self.text()?.contains(text).then_some(()))
        })
        .with_context(|| format!("the window shows: {}", self.text().unwrap_or_default()))
    }

    /// All text that the window shows.
    pub fn text(&self) -> Result<String> {
        let shown = self.run("return document.body.innerText", &json!([]))?;
        Ok(shown.as_str().unwrap_or_default().to_owned())
    }

    /// Goes to a view by its address, such as `#/restore`.
    pub fn go(&self, route: &str) -> Result<()> {
        self.run("location.hash = arguments[0]", &json!([route]))?;
        Ok(())
    }

    /// Texts of all elements that a selector finds.
    pub fn texts(&self, selector: &str) -> Result<Vec<String>> {
        let script = "return [...document.querySelectorAll(arguments[0])].map((it) => it.textContent.trim())";
        let found = self.run(script, &json!([selector]))?;
        Ok(crate::machine::texts(&found))
    }

    /// Runs a script in the page.
    pub fn run(&self, script: &str, arguments: &Value) -> Result<Value> {
        let body = json!({ "script": script, "args": arguments });
        self.post("/execute/sync", &body)
    }

    /// Writes a picture of the page into the desktop's folder, for whoever looks into a failure.
    pub fn picture(&self, name: &str) -> Result<()> {
        self.wait_until_drawn()?;
        let path = format!("/session/{}/screenshot", self.session);
        let shot = self.desktop.ask("GET", &path, None)?;
        let text = shot.as_str().context("no picture")?;
        let bytes = data_encoding::BASE64.decode(text.as_bytes())?;
        std::fs::write(
            self.desktop.person.folder.join(format!("{name}.png")),
            bytes,
        )?;
        Ok(())
    }

    /// What a script finds may be seen some frames later, on a busy machine much later.
    fn wait_until_drawn(&self) -> Result<()> {
        let draw = "window.isDrawn = false;
            requestAnimationFrame(() => requestAnimationFrame(() => { window.isDrawn = true; }));";
        self.run(draw, &json!([]))?;
        eventually("the page is drawn", SOON, || {
            let is_drawn = self.run("return window.isDrawn", &json!([]))?;
            Ok((is_drawn == true).then_some(()))
        })
    }

    /// Ends the application.
    pub fn quit(self) -> Result<()> {
        let path = format!("/session/{}", self.session);
        self.desktop.ask("DELETE", &path, None)?;
        eventually("the application ends", SOON, || {
            Ok((!self.desktop.driver_has_children()?).then_some(()))
        })
    }

    fn find(&self, using: &str, value: &str) -> Result<Vec<String>> {
        let body = json!({ "using": using, "value": value });
        let found = self.post("/elements", &body)?;
        let elements = found.as_array().cloned().unwrap_or_default();
        let names = elements.iter().filter_map(|it| it[ELEMENT].as_str());
        Ok(names.map(str::to_owned).collect())
    }

    fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let path = format!("/session/{}{path}", self.session);
        self.desktop.ask("POST", &path, Some(body))
    }
}

impl Person {
    /// Lets a program run on the person's desktop.
    fn live(&self, command: &mut Command) -> Result<()> {
        command.env("DISPLAY", &self.display);
        command.env("DBUS_SESSION_BUS_ADDRESS", &self.bus);
        live_in(command, &self.folder)
    }
}

fn live_in(command: &mut Command, folder: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    command.env("HOME", folder);
    for (variable, name) in [
        ("XDG_RUNTIME_DIR", "run"),
        ("XDG_CONFIG_HOME", "config"),
        ("XDG_DATA_HOME", "data"),
        ("XDG_CACHE_HOME", "cache"),
    ] {
        let path = folder.join(name);
        std::fs::create_dir_all(&path)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700))?;
        command.env(variable, path);
    }
    command.env_remove("WAYLAND_DISPLAY");
    Ok(())
}

/// One word with a driver.
fn ask_at(address: &str, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
    let url = format!("{address}{path}");
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(ANSWER_WITHIN))
        .http_status_as_error(false)
        .build()
        .into();
    let mut answer = match (method, body) {
        ("GET", _) => agent.get(&url).call()?,
        ("DELETE", _) => agent.delete(&url).call()?,
        (_, Some(body)) => agent.post(&url).send(body.to_string())?,
        (_, None) => agent.post(&url).send("{}")?,
    };
    let text = answer.body_mut().read_to_string()?;
    let object: Value = serde_json::from_str(&text).context("no answer of a driver")?;
    let value = object["value"].clone();
    if let Some(error) = value["error"].as_str() {
        let message = value["message"].as_str().unwrap_or_default();
        bail!("{method} {path}: {error}: {message}");
    }
    Ok(value)
}

/// A driver that answers, and its address. The port was free a moment before: one that somebody
/// else got meanwhile ends the driver at once, and the next one gets another.
fn start_driver(person: &Person, log: &Path) -> Result<(Process, String)> {
    for _ in 0..DRIVER_PORTS {
        let port = free_port()?;
        let mut driver = Command::new("WebKitWebDriver");
        driver.arg(format!("--port={port}"));
        driver.env("TAURI_WEBVIEW_AUTOMATION", "true");
        person.live(&mut driver)?;
        // Its children are ended with it.
        driver.process_group(0);
        let mut driver = Process::spawn(driver, log, None)?;
        let address = format!("http://127.0.0.1:{port}");
        let answers = eventually("the driver answers", SOON, || {
            if driver.ended()?.is_some() {
                return Ok(Some(false));
            }
            // Whoever got the port before may answer as well, while this one is about to end.
            if !listens_at(driver.id(), port)? {
                return Ok(None);
            }
            let answer = ask_at(&address, "GET", "/status", None).ok();
            Ok(answer.map(|_| true))
        })?;
        if answers {
            return Ok((driver, address));
        }
    }
    bail!("{DRIVER_PORTS} drivers found their ports taken");
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    Ok(listener.local_addr()?.port())
}

/// A text as XPath has it.
fn quoted(text: &str) -> String {
    if text.contains('\'') {
        format!("\"{text}\"")
    } else {
        format!("'{text}'")
    }
}
