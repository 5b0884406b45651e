//! What the window may call. Each forwards and nothing more.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use bitdust_api::{Answer, ApiError, Call, HostAnswer, HostCall};
use bitdust_model::ErrorCode;
use bitdust_node::Host;
use tauri::{AppHandle, State};
use tauri_plugin_autostart::ManagerExt as _;
use tauri_plugin_clipboard_manager::ClipboardExt as _;
use tauri_plugin_dialog::DialogExt as _;
use tokio::sync::oneshot;

use crate::tray::TrayWords;
use crate::{notifications, opening, tray};

/// A call to the node.
#[tauri::command]
pub(crate) async fn call(host: State<'_, Host>, request: Call) -> Result<Answer, ApiError> {
    host.call(request).await
}

/// A call to the host.
#[tauri::command]
pub(crate) async fn host(host: State<'_, Host>, request: HostCall) -> Result<HostAnswer, ApiError> {
    host.host(request).await
}

/// The page shows how things stand. Gives an invitation whose link began the program.
#[tauri::command]
pub(crate) fn ready(app: AppHandle) -> Option<String> {
    opening::ready(&app)
}

/// What the place beside the clock says, in the person's language.
#[tauri::command]
pub(crate) fn name_tray(app: AppHandle, words: TrayWords) {
    tray::name(&app, words);
}

/// Something needs a person who may not be looking.
#[tauri::command]
pub(crate) fn notify(app: AppHandle, message: String) {
    notifications::notify(&app, &message);
}

/// A folder that a person picks; none when they think better of it.
#[tauri::command]
pub(crate) async fn pick_folder(app: AppHandle, title: String) -> Option<String> {
    let (picked, answer) = oneshot::channel();
    let dialog = app.dialog().file().set_title(title);
    dialog.pick_folder(move |folder| {
        // The window may have closed meanwhile.
        let _ = picked.send(folder);
    });
    let folder = answer.await.ok().flatten()?.into_path().ok()?;
    Some(bitdust_node::text_of(&folder))
}

/// Shows a folder in the file manager.
#[tauri::command]
pub(crate) async fn open_folder(path: String) -> Result<(), ApiError> {
    let folder = bitdust_node::path_of(&path);
    if !folder.is_dir() {
        let message = format!("{} is not there", folder.display());
        return Err(ApiError::new(ErrorCode::NotFound, message));
    }
    tauri_plugin_opener::open_path(&folder, None::<&str>).map_err(|error| {
        let message = format!("{} cannot be shown: {error}", folder.display());
        ApiError::new(ErrorCode::Unreadable, message)
    })
}

/// Writes a recovery kit where a person says, readable by them alone. Gives the place, or
/// none when they think better of it.
#[tauri::command]
pub(crate) async fn save_kit(
    app: AppHandle,
    name: String,
    html: String,
) -> Result<Option<String>, ApiError> {
    let (chosen, answer) = oneshot::channel();
    let dialog = app.dialog().file().set_file_name(name);
    dialog.save_file(move |file| {
        // The window may have closed meanwhile.
        let _ = chosen.send(file);
    });
    let Some(file) = answer.await.ok().flatten() else {
        return Ok(None);
    };
    let path: PathBuf = file.into_path().map_err(|error| {
        let message = format!("the kit cannot be written there: {error}");
        ApiError::new(ErrorCode::BadPath, message)
    })?;
    write_privately(&path, html.as_bytes()).map_err(|error| {
        let message = format!("{} cannot be written: {error}", path.display());
        ApiError::new(ErrorCode::DiskFailed, message)
    })?;
    Ok(Some(bitdust_node::text_of(&path)))
}

/// Puts a text on the clipboard.
#[tauri::command]
pub(crate) fn copy(app: AppHandle, text: String) -> Result<(), ApiError> {
    app.clipboard().write_text(text).map_err(|error| {
        let message = format!("the clipboard cannot be used: {error}");
        ApiError::new(ErrorCode::Internal, message)
    })
}

/// Whether the program starts with the session.
#[tauri::command]
pub(crate) fn autostart(app: AppHandle) -> Result<bool, ApiError> {
    app.autolaunch()
        .is_enabled()
        .map_err(|error| not_known(&error))
}

/// Starts the program with the session, or no longer.
#[tauri::command]
pub(crate) fn set_autostart(app: AppHandle, on: bool) -> Result<(), ApiError> {
    let starter = app.autolaunch();
    let done = if on {
        starter.enable()
    } else if starter.is_enabled().unwrap_or(true) {
        starter.disable()
    } else {
        Ok(())
    };
    done.map_err(|error| not_known(&error))
}

fn not_known(error: &dyn std::fmt::Display) -> ApiError {
    let message = format!("the system does not say what starts with the session: {error}");
    ApiError::new(ErrorCode::Internal, message)
}

fn write_privately(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_kit_can_be_read_by_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let path = std::env::temp_dir().join(format!("bitdust-kit-{}", std::process::id()));
        write_privately(&path, b"words").expect("written");
        let mode = std::fs::metadata(&path)
            .expect("there")
            .permissions()
            .mode();
        std::fs::remove_file(&path).expect("removed");
        assert_eq!(mode & 0o777, 0o600);
    }
}
