"""Markdown with every construct, and parts for random mixtures of it."""

ENGLISH = r"""# A heading with `code` and **bold**

A paragraph with *emphasis*, **strong**, ***both***, ~~gone~~, `List<int>`, <details>
and a [link](https://example.com/a "title"), <https://example.org>, ![a picture](x.png).
The same line\
broken by a backslash, and 2 * 3 * 4, snake_case_name, \*escaped\*, &copy; &#x202e;.

Title of one line
=================

Another one
-----------

1. First item with a text that is too long for a narrow screen and has to be wrapped
2. Second item

   A second paragraph in it.

   ```python
   def f(x: int) -> str:
       '''Says it.'''
       return f"{x!r}"  # a comment
   ```
3. Third
   - nested one
   - nested two
     1. deep
     2. deeper

       quite deep

- [ ] open task
- [x] done task
* another list
+ and another

> A quote
> over two lines
>
> > nested, and
lazy
> - item
> ```
> code in a quote

| Left | Centre | Right |
|:-----|:------:|------:|
| a | b | c |
| a longer cell that has to be wrapped in any case because it is so long | `x\|y` | 3 |
| only one |
```js
/* a comment
   of lines */ const x = {"a": 1};
```
***
Price $5 and $6; $x^2 + y_1$ and \(\alpha \le \beta\), \[ \frac{a}{b} \] in a line.

\[
\begin{aligned} a &= b \\ &= c^{2} \end{aligned}
\]

$$
never closed

    indented code
    of two lines

	a tab

<div>
<p>html &amp; entities</p>
</div>

[ref]: http://example.com
See [ref] and [text][ref] and <script>alert(1)</script>.

The last paragraph, **never closed
"""

CHINESE = """## 显存估算：Qwen3-8B

显存占用主要由**权重**与 **KV cache** 两部分组成；**注意：**请先估算权重。
“重点”是（前者）。这是**“引号”**里的强调，*斜体*文字，~~删除：~~后面，以及`代码`。

1. 先估算权重：参数量 × 2 字节。
2. 再加上 KV cache，随上下文线性增长。
   - 嵌套的一项：使用Python（3.11）编写！！
   - 另一项……

| 模型 | 权重 (bf16) | KV / 1k tok |
|---|---:|:---:|
| Qwen3-8B | 15.3 GiB | 144 MiB |
| 一个名字很长很长很长的模型，长到必须换行才能放得下 | 27.5 GiB | 160 MiB |

> 引用：以 32k 上下文计算，
> 大约需要 4.5 GiB。

```python
# 计算显存
def 显存(层数, 头数):
    return 2 * 层数 * 头数  # 字节
```

公式 $E = mc^2$，以及 \\(x_{\\text{最大}}\\)。
"""

ODD = (
    "emoji 😀 👍🏽 👨\u200d👩\u200d👧 🇨🇳🇩🇪 ⚠\ufe0f 1\ufe0f\u20e3 end\n\n"
    "marks e\u0301e\u0301 n\u0303 が か\u3099 Z̷a̷l̷g̷o̷ ท่าน हिन्दी\n\n"
    "- עברית מימין לשמאל, and العربية من اليمين، then back\n- tabs\there\tand\tthere\n"
    "\r\ncarriage\rreturns\r\n\r\nend of it\r"
)

LONG = (
    "显存占用主要由**权重**与缓存两部分组成，其中后者随上下文线性增长。" * 120
    + "\n\n"
    + "".join(f"{n}. item number {n}\n" for n in range(1, 40))
    + "\n"
    + "| a | b |\n|---|---|\n"
    + "".join(f"| row {n} | {'x' * (n % 50)} |\n" for n in range(60))
    + "\n```python\n"
    + "".join(f"def f{n}(x):\n    '''Doc {n}.\n    '''\n" for n in range(60))
    + "```\n\n"
    + "word and **bold** and `code` " * 150
    + "\n\n- "
    + "\n- ".join(f"point {n}\n  more of it" for n in range(20))
)

_CONSTRUCTS = """# {t}

{t} **{t}** *{t}* ***{t}*** ~~{t}~~ `{t}` [{t}](http://e.x/{t}) <b>{t}</b>

- {t}
  continued {t}
  1. {t}
- [ ] {t}

> {t}
> > {t}

| {t} | b |
|:-:|--:|
| c | {t} |
```python
x = '{t}'  # {t}
```
$x_1$ {t} \\({t}\\)

$$
{t}
$$

{t}
---

    {t}

{t}\\
{t}
***
"""
_SCRIPTS = (
    "显存，占用。「引号」（注意：）한국어 かな",
    "👩🏽\u200d💻 🇨🇳 1\ufe0f\u20e3 ❤\ufe0f 😀",
    "e\u0301n\u0303 Z\u0337a\u0337 か\u3099 한",
    "שָׁלוֹם עולם العَرَبِيَّة 123",
    "हिन्दी ท่านผู้ ქართული",
)
SCRIPTS = "\n".join(_CONSTRUCTS.format(t=script) for script in _SCRIPTS)

TEXTS = {
    "english": ENGLISH,
    "chinese": CHINESE,
    "odd": ODD,
    "scripts": SCRIPTS,
    "long": LONG,
}

PARTS = [
    "# ", "## ", "\n", "\n\n", "- ", "  - ", "1. ", "2) ", "> ", "```", "```python\n",
    "~~~\n", "    ", "\t", "|", "| a | b |\n|---|:-:|\n", "| c | d |\n", "---\n",
    "===\n", "***", "**", "*", "_", "`", "~~", "[", "](http://x.y)", "![", "<b>", "$",
    "$$", "\\(", "\\)", "\\[", "\\]", "x^2", "\\frac{a}{b}", "&lt;", "&#27;", "word",
    " ", "some more words, ", "注意：", "显存占用", "。", "，“", "”", "😀",
    "\U0001f469\u200d\U0001f4bb", "e\u0301", "עברית ", "\r", "\r\n", "\\", "  \n",
    "def f():\n", "\"\"\"", "'''", "/*", "*/",
]  # fmt: skip
