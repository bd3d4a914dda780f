"""The library of personas: what a file may hold, and what is told of a wrong one."""

from pathlib import Path

from qwen_tui.settings.personas import read_personas


def test_ours_are_there_where_the_person_has_none(tmp_path: Path) -> None:
    personas = read_personas(tmp_path / "personas.toml")
    assert set(personas.known) == {"translator", "reviewer"}
    assert personas.notices == ()
    found = personas.find("Translator")
    assert found is not None
    assert found.options == {"thinking": False, "temperature": 0.3}


def test_a_persons_own_file_stands_in_their_place(tmp_path: Path) -> None:
    file = tmp_path / "personas.toml"
    file.write_text('["老师 A"]\nsystem_prompt = "教我。"\ntop_k = 5\nstop = ["END"]\n')
    personas = read_personas(file)
    assert list(personas.known) == ["老师 A"]
    persona = personas.known["老师 A"]
    assert persona.system_prompt == "教我。"
    assert persona.options == {"top_k": 5, "stop": ("END",)}


def test_a_broken_file_is_told_with_its_line_and_ours_are_offered(
    tmp_path: Path,
) -> None:
    file = tmp_path / "personas.toml"
    file.write_text('[a]\nsystem_prompt = "x"\ntop_k = \n')
    personas = read_personas(file)
    assert set(personas.known) == {"translator", "reviewer"}
    (notice,) = personas.notices
    assert f"{file}, line 3:" in notice


def test_a_wrong_persona_is_told_with_its_line_and_the_others_stay(
    tmp_path: Path,
) -> None:
    file = tmp_path / "personas.toml"
    file.write_text(
        '[good]\nsystem_prompt = "x"\n\n[hot]\nsystem_prompt = "x"\n'
        'temperature = "very"\n\n[empty]\nthinking = true\n\n'
        '[typo]\nsystem_prompt = "x"\ntemprature = 1\n'
    )
    personas = read_personas(file)
    assert list(personas.known) == ["good"]
    hot, empty, typo = personas.notices
    assert f"{file}, line 6: temperature must be a number" in hot
    assert f"{file}, line 8: empty has no system_prompt" in empty
    assert f"{file}, line 13: there is no option temprature" in typo
    assert "did you mean temperature?" in typo


def test_a_value_in_the_place_of_a_persona_is_told(tmp_path: Path) -> None:
    file = tmp_path / "personas.toml"
    file.write_text('name = "x"\n')
    (notice,) = read_personas(file).notices
    assert "line 1: a persona is a section: [name]" in notice
