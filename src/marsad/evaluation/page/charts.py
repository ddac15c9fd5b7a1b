"""Small charts as SVG, so that a page needs no library and no network to show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT = 420, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 24, 12, 34
_COLOURS = ("#1b6ca8", "#c0392b", "#2e8b57", "#8e5ea2", "#b8860b", "#555555")

Points = Sequence[tuple[float, float]]


def line_chart(series: Mapping[str, Points], *, x_title: str, y_title: str, top: float | None = None) -> str:
    """Return lines by name; y starts at 0 and ends at `top`, or at the greatest value. Nothing gives no chart."""
    points = [point for line in series.values() for point in line]
    if not points:
        return ""
    frame = _Frame(max(x for x, _ in points), top or max(y for _, y in points))
    lines = []
    for (name, line), colour in zip(series.items(), _COLOURS, strict=False):
        path = " ".join(frame.at(x, y) for x, y in line)
        dots = "".join(frame.dot(x, y, colour, f"{name}: {y:.3g} ({x:g})") for x, y in line) if len(line) < 60 else ""
        lines.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.6"/>{dots}')
    return frame.svg("".join(lines), x_title, y_title, list(series))


def reliability_chart(bins: Mapping[str, Sequence[tuple[float, float, int]]]) -> str:
    """Return reliability curves by name: for each bin (mean score, share right, number of items) a dot."""
    if not any(bins.values()):
        return ""
    frame = _Frame(1.0, 1.0)
    start, end = frame.at(0, 0), frame.at(1, 1)
    marks = [f'<polyline points="{start} {end}" stroke="#999" stroke-dasharray="4 4" fill="none"/>']
    for (name, line), colour in zip(bins.items(), _COLOURS, strict=False):
        path = " ".join(frame.at(score, share) for score, share, _ in line)
        marks.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.2"/>')
        for score, share, count in line:
            marks.append(
                frame.dot(score, share, colour, f"{name}: {count} of mean score {score:.2f}, {share:.0%} right")
            )
    return frame.svg("".join(marks), "score", "share that is right", list(bins))


class _Frame:
    """Axes from 0 to `right` and from 0 to `top`."""

    def __init__(self, right: float, top: float) -> None:
        self.right, self.top = right or 1.0, top or 1.0

    def at(self, x: float, y: float) -> str:
        left = _LEFT + x / self.right * (WIDTH - _LEFT - _RIGHT)
        down = HEIGHT - _BOTTOM - y / self.top * (HEIGHT - _TOP - _BOTTOM)
        return f"{left:.1f},{down:.1f}"

    def dot(self, x: float, y: float, colour: str, title: str) -> str:
        left, down = self.at(x, y).split(",")
        return f'<circle cx="{left}" cy="{down}" r="3" fill="{colour}"><title>{escape(title)}</title></circle>'

    def svg(self, marks: str, x_title: str, y_title: str, names: Sequence[str]) -> str:
        ticks = "".join(
            f'<text x="{float(self.at(self.right * part, 0).split(",")[0]):.1f}" y="{HEIGHT - _BOTTOM + 14}" '
            f'text-anchor="middle">{_tick(self.right * part)}</text>'
            f'<text x="{_LEFT - 6}" y="{float(self.at(0, self.top * part).split(",")[1]) + 4:.1f}" '
            f'text-anchor="end">{_tick(self.top * part)}</text>'
            for part in (0, 0.25, 0.5, 0.75, 1)
        )
        key = "".join(
            f'<span class="key"><i style="background:{colour}"></i>{escape(name)}</span>'
            for name, colour in zip(names, _COLOURS, strict=False)
        )
        start = f"{_LEFT},{_TOP} {_LEFT},{HEIGHT - _BOTTOM} {WIDTH - _RIGHT},{HEIGHT - _BOTTOM}"
        return (
            f'<figure class="chart" dir="ltr"><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
            f'aria-label="{escape(y_title)} by {escape(x_title)}">'
            f'<polyline points="{start}" fill="none" stroke="#777"/>{ticks}'
            f'<text x="{WIDTH / 2}" y="{HEIGHT - 4}" text-anchor="middle">{escape(x_title)}</text>'
            f'<text transform="translate(11 {HEIGHT / 2}) rotate(-90)" text-anchor="middle">{escape(y_title)}</text>'
            f"{marks}</svg><figcaption>{key}</figcaption></figure>"
        )


def _tick(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}"
