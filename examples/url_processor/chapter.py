"""What the model is to answer: a video as a chapter of a book, in eight fields.

The schema goes to the model with the question, and its answer is checked against it again: what a model writes is data,
and may be wrong.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

NOT_AVAILABLE = "N/A"


def _address_or_none(text: str) -> str:
    if text == NOT_AVAILABLE or (text.startswith(("https://", "http://")) and len(text.split()) == 1):
        return text
    raise ValueError(f"wanted an address or {NOT_AVAILABLE}")


Text = Annotated[str, Field(min_length=1)]
Address = Annotated[str, AfterValidator(_address_or_none)]


class Question(BaseModel):
    """A question that a reader would ask, answered from the video."""

    question: Text
    answer: Text


class Chapter(BaseModel):
    """A video as a chapter of a book."""

    model_config = ConfigDict(str_strip_whitespace=True)

    chapter_title: Text = Field(description="A title for the chapter.")
    introduction_context: Text = Field(description="What the session is about, for whom, and why it matters.")
    what_will_build: Text = Field(description="What is built, shown or explained.")
    technologies_and_services: list[Text] = Field(description="Every product, language and service that is used.")
    how_we_did_it: list[Text] = Field(
        description="The steps in order, each with the exact commands that are shown or said.", min_length=1
    )
    source_code_url: Address = Field(description="The address of the source code as the video names it, or N/A.")
    demo_url: Address = Field(description="The address of the running result as the video names it, or N/A.")
    qa_segment: list[Question] = Field(
        description="Questions that a reader would ask, answered from the video.", min_length=10, max_length=15
    )
