//! Splits the text of a script into its directives, each parsed on its own.
//!
//! The `wast` crate parses a script as a whole, so that one directive it does
//! not know (a proposal's instruction, say) would hide all others of the file.
//! Here the lexer finds the parenthesised forms first and every form is a
//! separate input of the parser: what cannot be parsed is one failed directive.

use wast::WastDirective;
use wast::lexer::{Lexer, TokenKind};
use wast::parser::{Parse, ParseBuffer, Parser, Result};

/// Keywords that begin a directive; a script that begins with another one is
/// a single module written without its enclosing parentheses.
const DIRECTIVES: [&str; 7] =
    ["module", "component", "register", "invoke", "get", "thread", "wait"];

/// The script without a byte order mark and a first line `#!…`, of which the line
/// break stays, for the sake of line numbers.
pub(crate) fn without_preamble(text: &str) -> &str {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match text.starts_with("#!") {
        true => &text[text.find(['\n', '\r']).unwrap_or(text.len())..],
        false => text,
    }
}

/// One top-level form: its source text and where that text starts.
#[derive(Clone, Copy)]
pub(crate) struct Form<'a> {
    /// From the opening parenthesis to the closing one.
    pub text: &'a str,
    /// Byte offset of `text` in the script.
    pub offset: usize,
    /// The keyword after the opening parenthesis, or empty.
    pub keyword: &'a str,
}

/// The forms of a script, and the error that ended the split, if any, with
/// its byte offset.
pub(crate) fn split(source: &str) -> (Vec<Form<'_>>, Option<(usize, String)>) {
    let mut forms = Vec::new();
    let mut open: Option<Form<'_>> = None;
    let mut depth = 0_usize;
    let mut after_open = false;
    for token in lexer(source).iter(0) {
        let token = match token {
            Ok(token) => token,
            Err(error) => return (forms, Some((error.span().offset(), error.message()))),
        };
        let end = token.offset + token.len as usize;
        match token.kind {
            TokenKind::Whitespace | TokenKind::LineComment | TokenKind::BlockComment => continue,
            TokenKind::LParen => {
                if depth == 0 {
                    open = Some(Form { text: "", offset: token.offset, keyword: "" });
                    after_open = true;
                    depth = 1;
                    continue;
                }
                depth += 1;
            }
            TokenKind::RParen => {
                let Some(left) = depth.checked_sub(1) else {
                    return (forms, Some((token.offset, "unmatched `)`".into())));
                };
                depth = left;
                if depth == 0
                    && let Some(form) = open.take()
                {
                    forms.push(Form { text: &source[form.offset..end], ..form });
                }
            }
            TokenKind::Keyword if after_open => {
                if let Some(form) = &mut open {
                    form.keyword = token.keyword(source);
                }
            }
            // An annotation is a comment to whoever does not know it.
            TokenKind::Annotation if after_open => open = None,
            _ if depth == 0 => return (forms, Some((token.offset, "expected `(`".into()))),
            _ => {}
        }
        after_open = false;
    }
    if depth > 0 {
        let start = open.map_or(source.len(), |form| form.offset);
        return (forms, Some((start, "`(` without its `)`".into())));
    }
    if forms.first().is_some_and(|first| !is_directive(first.keyword)) {
        return (vec![Form { text: source, offset: 0, keyword: "" }], None);
    }
    (forms, None)
}

fn is_directive(keyword: &str) -> bool {
    keyword.starts_with("assert_") || DIRECTIVES.contains(&keyword)
}

/// A lexer that takes every character the text format allows.
pub(crate) fn lexer(text: &str) -> Lexer<'_> {
    let mut lexer = Lexer::new(text);
    lexer.allow_confusing_unicode(true);
    lexer
}

/// The tokens of one form or of a quoted module.
///
/// # Errors
/// When the text is lexically malformed.
pub(crate) fn buffer(text: &str) -> Result<ParseBuffer<'_>> {
    ParseBuffer::new_with_lexer(lexer(text))
}

/// Parses the form in `buffer` as a directive.
///
/// # Errors
/// When the form is not a directive the `wast` crate knows.
pub(crate) fn directive<'a>(
    buffer: &'a ParseBuffer<'a>,
    form: &Form<'_>,
) -> Result<WastDirective<'a>> {
    if form.keyword.is_empty() {
        let module = wast::parser::parse::<wast::Wat<'_>>(buffer)?;
        return Ok(WastDirective::Module(wast::QuoteWat::Wat(module)));
    }
    Ok(wast::parser::parse::<Directive<'_>>(buffer)?.0)
}

/// A directive in its parentheses, with the annotations known that the text
/// format gives a meaning to.
struct Directive<'a>(WastDirective<'a>);

impl<'a> Parse<'a> for Directive<'a> {
    fn parse(parser: Parser<'a>) -> Result<Self> {
        let _known = [
            parser.register_annotation("custom"),
            parser.register_annotation("producers"),
            parser.register_annotation("name"),
            parser.register_annotation("dylink.0"),
            parser.register_annotation("metadata.code.branch_hint"),
        ];
        parser.parens(|inner| inner.parse()).map(Self)
    }
}

/// Turns byte offsets into line numbers.
pub(crate) struct Lines {
    breaks: Vec<usize>,
}

impl Lines {
    pub(crate) fn new(source: &str) -> Self {
        Self { breaks: source.match_indices('\n').map(|(offset, _)| offset).collect() }
    }

    /// The line, counted from one, that holds the byte at `offset`.
    pub(crate) fn line(&self, offset: usize) -> usize {
        self.breaks.partition_point(|&at| at < offset) + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keywords(source: &str) -> Vec<&str> {
        split(source).0.iter().map(|form| form.keyword).collect()
    }

    #[test]
    fn forms_are_found_between_comments_strings_and_annotations() {
        let source =
            "(; ( ;) (module (func)) ;; (\n(@skip (me))\n(assert_trap (invoke \"(\") \"x\")";
        assert_eq!(keywords(source), ["module", "assert_trap"]);
        let (forms, error) = split(source);
        assert_eq!(error, None);
        assert_eq!(forms[0].text, "(module (func))");
        assert_eq!(Lines::new(source).line(forms[1].offset), 3);
    }

    #[test]
    fn what_stands_before_the_script_counts_as_a_line() {
        for text in ["\u{feff}#!wast\n(module)", "#!wast\n(module)", "#!wast\r\n(module)"] {
            let text = without_preamble(text);
            let (forms, error) = split(text);
            assert_eq!((forms.len(), error), (1, None));
            assert_eq!(Lines::new(text).line(forms[0].offset), 2);
        }
        assert_eq!(without_preamble("\u{feff}(module)"), "(module)");
        assert_eq!(without_preamble("#!only"), "");
    }

    #[test]
    fn bare_fields_are_one_module() {
        let source = "(func) (memory 0)";
        assert_eq!(keywords(source), [""]);
        assert_eq!(split(source).0[0].text, source);
    }

    #[test]
    fn what_does_not_nest_is_an_error() {
        assert_eq!(split("(module)) (module)").1, Some((8, "unmatched `)`".into())));
        assert_eq!(split("(module) (module").1, Some((9, "`(` without its `)`".into())));
        assert_eq!(split("(module) junk").1, Some((9, "expected `(`".into())));
        assert_eq!(split("(module) \"open").0.len(), 1);
        assert!(split("(module) \"open").1.is_some());
    }

    #[test]
    fn a_directive_that_does_not_parse_leaves_the_next_one_alone() {
        let (forms, _) = split("(assert_nothing 1) (module (func))");
        let parsed: Vec<bool> =
            forms.iter().map(|form| directive(&buffer(form.text).unwrap(), form).is_ok()).collect();
        assert_eq!(parsed, [false, true]);
    }
}
