//! The profile as a flame graph: one self-contained, reproducible SVG.

use inferno::flamegraph::color::{BasicPalette, MultiPalette, Palette};
use inferno::flamegraph::{Options, from_lines};

use super::folded;
use super::model::Profile;
use crate::error::Expected;

/// Why there is no flame graph.
#[derive(Debug, thiserror::Error)]
pub enum FlamegraphError {
    /// A profile without samples has no picture.
    #[error("the profile holds no samples, so there is no flame graph")]
    Empty,
    /// The renderer refused.
    #[error("cannot draw the flame graph")]
    Render(#[source] std::io::Error),
}

impl Expected for FlamegraphError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Empty => Some("let the workload run longer: `--profile-time 5`".into()),
            Self::Render(_) => None,
        }
    }
}

/// Draws the SVG; the same profile and title give the same bytes.
pub fn svg(profile: &Profile, title: &str) -> Result<Vec<u8>, FlamegraphError> {
    if profile.samples() == 0 {
        return Err(FlamegraphError::Empty);
    }
    let mut options = Options::default();
    title.clone_into(&mut options.title);
    options.subtitle = Some(subtitle(profile));
    options.deterministic = true;
    options.colors = if profile.quality.engine == super::Engine::Imported {
        Palette::Basic(BasicPalette::Hot)
    } else {
        Palette::Multi(MultiPalette::Rust)
    };
    let text = folded::write(profile);
    let mut out = Vec::new();
    from_lines(&mut options, text.lines(), &mut out).map_err(FlamegraphError::Render)?;
    Ok(out)
}

fn subtitle(profile: &Profile) -> String {
    let quality = &profile.quality;
    let rate = if quality.rate() > 0 { format!(" at {} Hz", quality.rate()) } else { String::new() };
    // Zero lost samples are no news, and not every engine counts them.
    let lost = if quality.lost > 0 { format!(", {} lost", quality.lost) } else { String::new() };
    format!("{} samples{rate}{lost}, {} truncated", quality.samples, quality.truncated)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(title: &str) -> String {
        let profile = folded::read("main;parse;<b> 30\nmain;print 10\n").unwrap();
        String::from_utf8(svg(&profile, title).unwrap()).unwrap()
    }

    #[test]
    fn the_picture_shows_functions_title_and_sample_count() {
        let text = drawn("bench parse/large");
        assert!(text.starts_with("<?xml") && text.trim_end().ends_with("</svg>"));
        for part in ["bench parse/large", "parse (30 samples, 75.00%)", "40 samples"] {
            assert!(text.contains(part), "{part}");
        }
    }

    #[test]
    fn the_same_profile_gives_the_same_bytes() {
        assert_eq!(drawn("a"), drawn("a"));
    }

    #[test]
    fn a_title_cannot_inject_markup() {
        assert!(!drawn("</text><script>alert(1)</script>").contains("<script>alert"));
    }

    #[test]
    fn an_empty_profile_is_an_error() {
        assert!(matches!(svg(&folded::read("").unwrap(), "x"), Err(FlamegraphError::Empty)));
    }
}
