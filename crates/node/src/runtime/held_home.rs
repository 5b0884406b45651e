//! The home that this process holds: its lock, its settings, what guards its keys.

use bitdust_api::ApiError;
use bitdust_api::history::Happening;
use bitdust_api::view::SettingView;
use bitdust_crypto::{Phrase, RootSecrets};
use bitdust_engine::Input;
use bitdust_model::{ErrorCode, IdentityId, Severity};
use bitdust_store::Home;

use crate::front::status::HomeSeen;
use crate::shared::config::Config;
use crate::shared::driver::Driver;

/// A home with its settings.
pub(super) struct HeldHome {
    /// Holds the lock.
    home: Home,
    config: Config,
    guard: &'static str,
}

impl HeldHome {
    /// A home whose keys were opened; `guard` says by what.
    pub(super) const fn new(home: Home, config: Config, guard: &'static str) -> Self {
        Self {
            home,
            config,
            guard,
        }
    }

    /// What people see of it.
    pub(super) fn seen(&self) -> HomeSeen {
        HomeSeen {
            config: self.config.clone(),
            guard: self.guard,
            paths: self.home.paths().clone(),
        }
    }

    /// One setting, or all.
    ///
    /// # Errors
    /// If there is none of this name.
    pub(super) fn settings(&self, key: Option<&str>) -> Result<Vec<SettingView>, ApiError> {
        Ok(self.config.views(key)?)
    }

    /// Changes one setting and keeps it; gives all of them for whoever lives by them.
    ///
    /// # Errors
    /// If it cannot be so, or cannot be written; nothing is changed then.
    pub(super) fn set(
        &mut self,
        driver: &mut Driver,
        key: &str,
        value: &str,
    ) -> Result<&Config, ApiError> {
        let mut config = self.config.clone();
        config.set(key, value)?;
        config.save(self.home.paths())?;
        let before = std::mem::replace(&mut self.config, config);
        let now = &self.config;
        if before.code != now.code {
            driver.tell(Input::CodeWanted { code: now.code });
        }
        if before.suppliers != now.suppliers {
            let count = now.suppliers;
            driver.tell(Input::SuppliersWanted { count });
        }
        if before.offer != now.offer {
            let bytes = now.offer.0;
            let message = format!("{bytes} bytes are offered to others now");
            driver.notice(Severity::Note, Happening::OfferChanged { bytes }, message);
            driver.tell(Input::OfferChanged { bytes: now.offer });
        }
        Ok(now)
    }

    /// Whether these are the words of an identity; that they were asked back is kept.
    ///
    /// # Errors
    /// If these are no words of a phrase, or the answer cannot be written.
    pub(super) fn check_phrase(
        &mut self,
        driver: &mut Driver,
        identity: IdentityId,
        phrase: &str,
    ) -> Result<bool, ApiError> {
        let phrase = Phrase::parse(phrase)
            .map_err(|error| ApiError::new(ErrorCode::BadRequest, error.to_string()))?;
        let is_right = RootSecrets::from_phrase(&phrase).identity() == identity;
        if is_right {
            self.set(driver, "phrase_confirmed", "true")?;
        }
        Ok(is_right)
    }
}
