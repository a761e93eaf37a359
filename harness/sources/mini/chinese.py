"""Chinese for IVCR-Mini."""

from __future__ import annotations

from harness.sources.mini.phrasing import Phrasing
from harness.sources.mini.queries import Pattern
from harness.sources.mini.world import BACKGROUNDS, COLOURS, MOTIONS, PACES, PLACES, SHAPES

DOING = ("旋转", "弹跳", "滑动", "绕圈", "伸缩", "闪烁", "抖动", "翻转")
NAMES = {
    **dict(zip(SHAPES, ("圆球", "方块", "三角形", "五角星", "爱心", "十字"), strict=True)),
    **{word: f"{name}色" for word, name in zip(COLOURS, "红橙黄绿青蓝紫粉", strict=True)},
    **dict(zip(MOTIONS, DOING, strict=True)),
    **dict(zip(PLACES, ("上方", "下方", "左边", "右边"), strict=True)),
    **dict(zip(PACES, ("缓慢", "快速"), strict=True)),
    **dict(zip(BACKGROUNDS, ("白色", "黑色", "灰色", "条纹", "格子", "波点"), strict=True)),
}


def clause(event: Pattern) -> str:
    """An event as a clause: 红色圆球在画面上方缓慢旋转."""
    return _thing(event) + (_doing(event) or "出现")


def noun(event: Pattern) -> str:
    """An event as a noun: 在画面上方缓慢旋转的红色圆球."""
    doing = _doing(event)
    return f"{doing}的{_thing(event)}" if doing else _thing(event)


def finish(text: str) -> str:
    """Chinese has no capitals: the text as it is."""
    return text


def _thing(event: Pattern) -> str:
    colour = NAMES[event.colour] if event.colour else ""
    shape = NAMES[event.shape] if event.shape else "图形"
    return (colour + "的" if colour and not event.shape else colour) + shape


def _doing(event: Pattern) -> str:
    where = f"在画面{NAMES[event.place]}" if event.place else ""
    if event.motion or event.pace:
        pace = NAMES[event.pace] if event.pace else ""
        return where + pace + (NAMES[event.motion] if event.motion else "移动")
    return f"出现{where}" if where else ""


CHINESE = Phrasing(
    names=NAMES,
    tags=NAMES,
    clause=clause,
    noun=noun,
    finish=finish,
    join="，".join,
    background="背景为{name}",
    before=(
        "先是{a}，然后{b}",
        "{a}之后，{b}",
        "{b}之前，{a}",
        "{a}，后来{b}",
        "起初{a}，过后{b}",
        "{a}在先，{b}在后",
    ),
    longer=(
        "{a}的时间比{b}的时间长",
        "{a}比{b}持续得更久",
        "{a}的时间很长，{b}的时间很短",
        "{b}的时间比{a}的时间短",
        "{b}只有一小会儿，{a}却持续很久",
        "跟{b}相比，{a}的时间更长",
    ),
    moments={
        "at": ("{s}的那一段", "{s}的片段", "{s}的画面"),
        "after": ("{np}消失之后紧接着的那一段", "{np}一走，下一个图形出现的那段"),
        "until": ("{np}出现之前的那一段", "{np}登场前最后一个图形的那段"),
        "first": ("最先出现的那个图形的片段", "开场的第一个图形的那段"),
        "last": ("最后出现的那个图形的片段", "结尾那个图形的那段"),
        "longest": ("持续最久的那一段", "停留时间最长的那个图形的片段"),
        "shortest": ("持续最短的那一段", "停留时间最短的那个图形的片段"),
    },
    qualities={
        "slow": ("平静", "舒缓", "悠闲"),
        "fast": ("活泼", "激烈", "欢快"),
        2: ("简单", "简洁", "清爽"),
        5: ("热闹", "丰富", "复杂"),
    },
    templates={
        "find": (
            "帮我找一个视频：{s}。",
            "我想找这样一段视频，{s}。",
            "哪个视频里{s}？",
            "麻烦找一下这个视频，里面{s}。",
            "我记得有个视频，{s}，能找到吗？",
            "请检索这样的视频：{s}。",
            "有没有这样的视频？{s}。",
        ),
        "whole": (
            "现在我要看整段视频，就是{s}的那个。",
            "把完整的视频给我：{s}。",
            "完整版在哪儿？里面{s}。",
            "不要片段，给我整个视频，{s}。",
            "这一段出自哪个视频？我记得{s}。",
            "请打开完整的原视频，{s}。",
        ),
        "similar": (
            "再来一个差不多的，不过{s}。",
            "有类似的视频吗？这次要{s}。",
            "换一个相近的：{s}。",
            "找个跟刚才那个相像的，里面{s}。",
            "还有没有同一类的？要{s}。",
            "类似的也行，但是{s}。",
        ),
        "same": (
            "背景还是一样的，再找一个：{s}。",
            "换一个视频，背景跟刚才相同，但{s}。",
            "同样的背景，这次{s}。",
            "背景不变，给我另一个，里面{s}。",
            "还要刚才那种背景的，不过{s}。",
            "有没有背景一样、但{s}的？",
        ),
        "refine": (
            "补充一点：{s}。",
            "再具体一些，{s}。",
            "我说得不够清楚，其实{s}。",
            "还想起来一个细节：{s}。",
            "范围再缩小一点：{s}。",
            "对了，我要的那个里面{s}。",
        ),
        "abstract": (
            "想看点{quality}的：{s}。",
            "来一个{quality}一点的视频，{s}。",
            "有没有比较{quality}的视频？里面{s}。",
            "给我找个{quality}的，{s}。",
            "我想要一段{quality}的视频，{s}。",
            "最好是{quality}的，{s}。",
        ),
        "moment": (
            "请截取{m}。",
            "给我看{m}。",
            "在这个视频里找出{m}。",
            "我只要{m}。",
            "{m}在什么时间？",
            "帮我定位{m}。",
            "跳到{m}。",
        ),
        "moment_in": (
            "有个视频，{s}，请找出{m}。",
            "有一段视频里{s}，我只要{m}。",
            "有这么一个视频：{s}。{m}在什么时间？",
            "先找到这个视频：{s}，再截取{m}。",
            "我想从一个视频里剪出{m}，那个视频里{s}。",
            "我想看{m}，视频里{s}。",
        ),
    },
    # Spaces and full-width punctuation keep "video 3" readable for the official rule. The forms
    # under "glued" read none there, as answers in the real data may.
    answers={
        "video": (
            "您要找的是 video {n}。",
            "答案：video {n}。",
            "应该是 video {n}。",
            "找到了，video {n} 符合您的描述。",
            "我认为 video {n} 最合适。",
            "就是 video {n} 这一个。",
        ),
        "glued": ("在video {n}中。", "您要找的是video {n}这个视频。", "符合描述的是video {n}。"),
        "none": (
            "候选视频里没有您要找的那一个。",
            "很抱歉，这些候选都不符合您的描述。",
            "列表中没有找到这个视频。",
            "您描述的视频不在候选之中。",
        ),
        "moment": (
            "在 video {n} 的 {span}。",
            "这一段位于 video {n}，时间是 {span}。",
            "请看 video {n}，{span}。",
            "出现在 video {n} 的 {span} 之间。",
            "答案：video {n}，{span}。",
            "它在 video {n} 里，从头算起是 {span}。",
        ),
        "glued_moment": ("在video {n}中，{span}。", "时间是{span}，见video {n}。"),
        "moment_none": (
            "时间是 {span}。",
            "这一段在 {span}。",
            "就在那个视频的 {span}。",
            "位于 {span} 之间。",
        ),
    },
    small_talk=(
        ("你好，你能做什么？", "我可以帮您找视频，也可以指出视频里的某一段。"),
        ("你这里都有什么样的视频？", "都是彩色图形在纯色或带花纹的背景上运动的短片。"),
        ("谢谢，很有帮助。", "不客气，还需要别的视频就告诉我。"),
        ("这些视频一般多长？", "从八秒到四十秒不等。"),
        ("我可以用自己的话描述吗？", "可以，您记得什么就说什么。"),
        ("视频有声音吗？", "没有，都是无声的。"),
        ("用英语问也行吗？", "行，中文和英文都可以。"),
    ),
    questions={
        "first": (
            ("有一段视频里{s}，最先出现的是什么？", "最先是{e}。"),
            ("有个视频，{s}，它是怎么开场的？", "一开始{e}。"),
        ),
        "last": (
            ("我看过一个视频，{s}，它最后发生了什么？", "最后{e}。"),
            ("有个视频里{s}，它是怎么结束的？", "结尾是{e}。"),
        ),
        "count": (
            ("我记得有个视频，{s}，一共有几个图形？", "一共有{c}个图形。"),
            ("有个视频，{s}，里面出现了几个图形？", "出现了{c}个。"),
        ),
        "background": (
            ("我想起一个视频，里面{s}，背景是什么样的？", "背景是{b}的。"),
            ("有个视频，{s}，它的背景呢？", "是{b}背景。"),
        ),
    },
    numbers={2: "两", 3: "三", 4: "四", 5: "五"},
    title=("{background}背景", "运动的图形"),
    transcript=("画面里有：", "、"),
)
