//! `set`, `get` and `offer`.

use bitdust_api::{Answer, Call};
use bitdust_model::ByteCount;
use serde_json::json;

use super::context::{Context, ask, order};
use crate::escape::escaped;
use crate::failure::{Exit, Failure};

pub(super) async fn set(context: &Context, key: String, value: String) -> Result<Exit, Failure> {
    order(
        context,
        Call::SettingsSet {
            key: key.clone(),
            value: value.clone(),
        },
    )
    .await?;
    let object = json!({ "done": true, "key": key, "value": value });
    context.output.result(&object, || {
        format!("{} is now {}.\n", escaped(&key), escaped(&value))
    })?;
    Ok(Exit::Done)
}

pub(super) async fn get(context: &Context, key: Option<String>) -> Result<Exit, Failure> {
    let Answer::Settings(settings) = ask(context, Call::SettingsGet { key: key.clone() }).await?
    else {
        return Err(Failure::odd_answer());
    };
    context
        .output
        .result(&json!({ "settings": settings }), || {
            match (&key, settings.as_slice()) {
                // One setting is printed bare, for scripts.
                (Some(_), [setting]) => format!("{}\n", escaped(&setting.value)),
                _ => settings
                    .iter()
                    .map(|setting| {
                        format!(
                            "{} = {}  ({})\n",
                            escaped(&setting.key),
                            escaped(&setting.value),
                            escaped(&setting.from)
                        )
                    })
                    .collect(),
            }
        })?;
    Ok(Exit::Done)
}

pub(super) async fn offer(context: &Context, space: ByteCount) -> Result<Exit, Failure> {
    order(context, Call::Offer { bytes: space.0 }).await?;
    context.output.result(&json!({ "done": true, "offered_bytes": space.0 }), || {
        if space.0 == 0 {
            "You share no space with new people. What is kept here for others stays as agreed.\n".to_owned()
        } else {
            format!("You share {space} with others while the node runs (`bitdust daemon`).\n")
        }
    })?;
    Ok(Exit::Done)
}
