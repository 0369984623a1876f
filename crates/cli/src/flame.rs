//! A flame graph: the stacks of a profile drawn as boxes, whose width is time.
//!
//! The picture stands by itself: pointing at a box shows the whole name and the
//! figures, without any script.

use std::fmt::Write;

use crate::sample::{Frame, Samples, Stack, Tier};

/// The size of the picture, and of a box, in pixels.
const WIDTH: f64 = 1200.0;
const HEIGHT: usize = 18;

/// Room above for the title.
const TOP: usize = 30;

/// Boxes narrower than this are not drawn.
const MIN_WIDTH: f64 = 0.2;

/// The width that a letter takes.
const LETTER: f64 = 7.0;

/// The flame graph, as SVG.
pub fn graph(samples: &Samples) -> String {
    let time = samples.time();
    let depth = samples.stacks.iter().map(|stack| stack.frames.len()).max().unwrap_or(0);
    let height = TOP + depth * HEIGHT + HEIGHT / 2;
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         viewBox=\"0 0 {WIDTH} {height}\" font-family=\"monospace\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"8\" y=\"20\">{} ms; <tspan fill=\"#b5541c\">interpreted</tspan>, \
         <tspan fill=\"#2f6f4f\">compiled</tspan>, \
         <tspan fill=\"#2f4f8f\">optimized</tspan></text>",
        milliseconds(time)
    );
    let scale = WIDTH / time.max(1) as f64;
    level(&mut text, &samples.stacks, 0, 0, &Scale { time, scale });
    text.push_str("</svg>\n");
    text
}

struct Scale {
    /// All the time.
    time: u64,
    /// Pixels for a microsecond.
    scale: f64,
}

/// Draws the frames at a depth of stacks that are equal below it; they are in
/// order, so equal frames are neighbours. `start` is the time to their left.
fn level(text: &mut String, stacks: &[Stack], depth: usize, start: u64, scale: &Scale) {
    let (mut rest, mut start) = (stacks, start);
    while let Some(first) = rest.first() {
        let Some(frame) = first.frames.get(depth) else {
            start += first.time;
            rest = &rest[1..];
            continue;
        };
        let same = rest.iter().take_while(|stack| stack.frames.get(depth) == Some(frame)).count();
        let (group, others) = rest.split_at(same);
        let time = group.iter().map(|stack| stack.time).sum();
        if time as f64 * scale.scale >= MIN_WIDTH {
            draw(text, frame, depth, start, time, scale);
            level(text, group, depth + 1, start, scale);
        }
        start += time;
        rest = others;
    }
}

fn draw(text: &mut String, frame: &Frame, depth: usize, start: u64, time: u64, scale: &Scale) {
    let (x, width) = (start as f64 * scale.scale, time as f64 * scale.scale);
    let y = TOP + depth * HEIGHT;
    let fill = match frame.tier {
        Tier::Interpreted => "#f3b68c",
        Tier::Compiled => "#9fd8b8",
        Tier::Optimized => "#a9c3ee",
    };
    let share = time as f64 * 100.0 / scale.time.max(1) as f64;
    let name = escape(&frame.name);
    let place = frame.place.as_ref().map_or(String::new(), |place| format!(", {}", escape(place)));
    let _ = write!(
        text,
        "<g><title>{name}: {} ms, {share:.1}%{place}</title>\
         <rect x=\"{x:.1}\" y=\"{y}\" width=\"{width:.1}\" height=\"{}\" fill=\"{fill}\"/>",
        milliseconds(time),
        HEIGHT - 1
    );
    let letters = ((width - 4.0) / LETTER).max(0.0) as usize;
    if letters >= 3 {
        let shown: String = frame.name.chars().take(letters).collect();
        let _ =
            write!(text, "<text x=\"{:.1}\" y=\"{}\">{}</text>", x + 3.0, y + 13, escape(&shown));
    }
    text.push_str("</g>\n");
}

fn milliseconds(time: u64) -> String {
    format!("{:.1}", time as f64 / 1000.0)
}

/// A name as text of the picture; what XML does not allow is left out.
fn escape(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push('?'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_lie_where_their_time_is() {
        let tier = |name: &str| if name == "b<T>" { Tier::Compiled } else { Tier::Interpreted };
        let frame = |name: &str| Frame { name: name.into(), place: None, tier: tier(name) };
        let stack = |names: &[&str], time| Stack {
            frames: names.iter().map(|name| frame(name)).collect(),
            time,
        };
        let stacks = vec![
            stack(&["main"], 1000),
            stack(&["main", "a"], 2000),
            stack(&["main", "b<T>"], 1000),
        ];
        let svg = graph(&Samples { stacks });
        for part in [
            "height=\"75\"",
            "4.0 ms;",
            "<title>main: 4.0 ms, 100.0%</title><rect x=\"0.0\" y=\"30\" width=\"1200.0\"",
            "<title>a: 2.0 ms, 50.0%</title><rect x=\"300.0\" y=\"48\" width=\"600.0\"",
            "<title>b&lt;T&gt;: 1.0 ms, 25.0%</title><rect x=\"900.0\" y=\"48\" width=\"300.0\"",
        ] {
            assert!(svg.contains(part), "no {part} in {svg}");
        }
        assert_eq!(svg.matches("#9fd8b8").count(), 1);
        assert!(graph(&Samples { stacks: Vec::new() }).ends_with("</svg>\n"));
    }

    #[test]
    fn names_cannot_become_markup() {
        assert_eq!(escape("<a>&\u{1}"), "&lt;a&gt;&amp;?");
    }
}
