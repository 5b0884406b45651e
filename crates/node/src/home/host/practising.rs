//! A practice network beside the home, for a window.

use std::path::PathBuf;

use bitdust_api::{ApiError, HostAnswer, HostState};
use bitdust_model::ErrorCode;

use super::Actor;
use crate::home::practice::{self, Practice};

impl Actor {
    pub(super) async fn start_practice(&mut self) -> Result<HostAnswer, ApiError> {
        if self.practice.is_some() {
            return Ok(self.view_answer());
        }
        let before = self.state.clone();
        self.enter(HostState::Starting);
        let started = Practice::start(&self.practice_dir()).await;
        let practice = started.inspect_err(|_| self.enter(before));
        let practice = practice?;
        let client = self.connect(&practice.socket()).await?;
        self.practice = Some((practice, client));
        self.use_client();
        self.enter(HostState::Running);
        Ok(self.view_answer())
    }

    pub(super) async fn stop_practice(&mut self) -> Result<HostAnswer, ApiError> {
        if let Some((practice, _)) = self.practice.take() {
            self.use_client();
            practice.close().await?;
        }
        self.settle().await;
        Ok(self.view_answer())
    }

    pub(super) async fn forget_practice(&mut self) -> Result<HostAnswer, ApiError> {
        self.stop_practice().await?;
        practice::forget(&self.practice_dir())?;
        self.enter(self.state.clone());
        Ok(self.view_answer())
    }

    pub(super) async fn set_practice_supplier(
        &mut self,
        number: u8,
        runs: bool,
    ) -> Result<HostAnswer, ApiError> {
        let Some((practice, _)) = &mut self.practice else {
            let message = "the practice network does not run";
            return Err(ApiError::new(ErrorCode::BadRequest, message));
        };
        practice.set_running(number, runs).await?;
        self.enter(self.state.clone());
        Ok(self.view_answer())
    }

    /// Beside the home, so that it is no part of it.
    pub(super) fn practice_dir(&self) -> PathBuf {
        let mut name = self
            .settings
            .home
            .file_name()
            .map_or_else(|| "bitdust".into(), std::ffi::OsStr::to_os_string);
        name.push("-practice");
        self.settings.home.with_file_name(name)
    }
}
