"""The command line: files in, three files out, one clear line where that fails."""

import builtins
import csv
import sys
from decimal import Decimal
from html.parser import HTMLParser

import numpy as np
import pytest
from sklearn.decomposition import PCA

import skae
import skae.__main__ as cli
from skae._compare import run, tables

pandas = pytest.importorskip("pandas")
pytest.importorskip("matplotlib")

CHEAP = {"Autoencoder": PCA(whiten=True)}
OUTPUTS = ["comparison.csv", "comparison.png", "report.html"]


@pytest.fixture(autouse=True)
def cheap_estimators(monkeypatch, tmp_path):
    """Compare something that fits at once, in an empty directory."""
    check = run._check_estimators
    monkeypatch.setattr(run, "_check_estimators", lambda given: check(given or CHEAP))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def people(tmp_path):
    """Make a table with gaps, categories, booleans and columns of no use."""
    rng, n = np.random.RandomState(0), 60
    frame = pandas.DataFrame(
        {
            "id": np.arange(n),
            "age": rng.randint(18, 80, n).astype(float),
            "height": rng.normal(170, 9, n).round(1),
            "city & canton": rng.choice(["Bern", "Zürich", "Genève"], n),
            "member": rng.choice([True, False], n),
            "name": [f"person {i}" for i in range(n)],
            "same": 1,
            "price": rng.normal(size=n).round(3),
        }
    )
    frame.loc[::7, "age"] = np.nan
    frame.loc[::11, "city & canton"] = None
    frame.loc[3:5, "price"] = np.nan
    return frame


def hide(monkeypatch, package):
    """Make an import of the package fail, as where it is not installed."""
    real = builtins.__import__

    def refuse(name, *args, **kwargs):
        if name.split(".")[0] == package:
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)


def read_table(directory="skae-comparison"):
    with open(f"{directory}/comparison.csv", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def read_report(directory="skae-comparison"):
    with open(f"{directory}/report.html", encoding="utf-8") as file:
        return file.read()


@pytest.mark.parametrize("name", ["digits", "breast_cancer", "wine", "diabetes"])
def test_built_in_tables(name, capsys, tmp_path):
    arguments = ["compare", name, "--components", "2,3", "--output", "deep/out"]
    assert cli.main(arguments) == 0
    printed = capsys.readouterr().out
    assert "Autoencoder" in printed and "Wrote" in printed
    output = tmp_path / "deep" / "out"
    assert sorted(path.name for path in output.iterdir()) == OUTPUTS
    assert (output / "comparison.png").read_bytes().startswith(b"\x89PNG")
    rows = read_table(output)
    assert [row["n_components"] for row in rows] == ["2", "2", "3", "3"]
    key = "r2_target" if name == "diabetes" else "accuracy"
    assert float(rows[0][key]) > 0.2


def test_same_command_same_numbers(capsys):
    tables = []
    for _ in range(2):
        assert cli.main(["compare", "wine", "--components", "2", "--seed", "5"]) == 0
        tables.append(read_table())
    for one, other in zip(*tables, strict=True):
        same = {key for key in one if one[key] == other[key]}
        assert {key for key in one if "seconds" not in key} <= same


def test_csv_with_gaps_and_categories(people, capsys):
    people.to_csv("people.csv", index=False)
    arguments = ["compare", "people.csv", "--target", "price", "--components", "2"]
    assert cli.main(arguments) == 0
    page = read_report()
    for note in [
        "people.csv: 60 rows, 8 columns.",
        "3 rows without a value of price left out.",
        "id (row numbers), name (60 distinct texts), same (one value at most)",
        "Numeric columns (3): 9 gaps filled with the column&#x27;s median",
        "Categorical columns (city &amp; canton)",
        "OneHotEncoder); 6 gaps are a level of their own",
        "training rows alone",
        "Target: price, numbers (regression).",
    ]:
        assert note in page
    HTMLParser().feed(page)
    assert 'src="http' not in page and "href" not in page
    assert "r2_target" in read_table()[0]


def test_prepared_columns_are_those_announced(people):
    people.to_csv("people.csv", index=False)
    table = tables.load("people.csv", "price")
    assert list(table.X) == ["age", "height", "city & canton", "member"]
    Z = table.preprocessor.fit_transform(table.X)
    assert Z.shape == (57, 3 + 4)  # three cities and the gap
    np.testing.assert_allclose(Z[:, :3].mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(Z[:, :3].std(axis=0), 1)
    np.testing.assert_array_equal(Z[:, 3:].sum(axis=1), 1)
    unseen = table.X.assign(**{"city & canton": "Chur"})
    with pytest.warns(UserWarning, match="unknown categories"):
        assert not table.preprocessor.transform(unseen)[:, 3:].any()


def test_semicolons_and_decimal_commas(people):
    people.to_csv("comma.csv", index=False)
    people.to_csv(
        "semicolon.csv", index=False, sep=";", decimal=",", encoding="utf-8-sig"
    )
    one, other = (
        tables.load(f"{name}.csv", "member") for name in ("comma", "semicolon")
    )
    pandas.testing.assert_frame_equal(one.X, other.X)
    assert "Commas in numbers were read as decimal points." in other.notes


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_file_without_header(separator):
    numbers = np.random.RandomState(0).normal(size=(20, 3))
    np.savetxt("bare.csv", numbers, delimiter=separator)
    table = tables.load("bare.csv", "2")
    np.testing.assert_allclose(table.X, numbers[:, :2])
    np.testing.assert_allclose(table.y, numbers[:, 2])
    assert "The file has no header; columns count from 0." in table.notes


def test_question_marks_and_infinities_are_gaps():
    numbers = np.random.RandomState(0).normal(size=(20, 3)).astype(object)
    numbers[3, 0], numbers[4, 1] = "?", "inf"
    pandas.DataFrame(numbers, columns=list("abc")).to_csv("gaps.csv", index=False)
    table = tables.load("gaps.csv")
    assert table.X.isna().sum().to_dict() == {"a": 1, "b": 1, "c": 0}
    assert np.isfinite(table.preprocessor.fit_transform(table.X)).all()


def test_parquet(people):
    pytest.importorskip("pyarrow")
    people["when"] = pandas.date_range("2020", periods=len(people))
    people["size"] = people["city & canton"].astype("category")
    people["count"] = pandas.array([1, 2, None] * 20, dtype="Int64")
    people.to_parquet("people.parquet")
    assert cli.main(["compare", "people.parquet", "--target", "member"]) == 0
    page = read_report()
    assert "when (dates)" in page and "Target: member, 2 labels" in page
    assert "Warning: --components dropped: 16" in page


def test_npy():
    images = np.random.RandomState(0).normal(size=(30, 2, 3)).astype(np.float32)
    np.save("images.npy", images)
    assert (
        cli.main(["compare", "images.npy", "--components", "2", "--target", "5"]) == 0
    )
    assert "Rows of shape (2, 3) were flattened." in read_report()


def test_task_overrides_the_guess(people, capsys):
    people["grade"] = np.arange(60) % 6
    people.to_csv("people.csv", index=False)
    arguments = ["compare", "people.csv", "--target", "grade", "--components", "2"]
    assert cli.main(arguments) == 0
    assert "accuracy" in read_table()[0]
    assert cli.main([*arguments, "--task", "regression"]) == 0
    assert "r2_target" in read_table()[0]


def test_text_that_looks_like_numbers_is_pointed_out(people, capsys):
    people["price"] = people["price"].map(str)
    people.loc[7, "price"] = "n.d."
    people["share"] = np.where(people.index < 30, "0,5", "0,7")
    people.to_csv("people.csv", index=False)
    assert cli.main(["compare", "people.csv", "--components", "2"]) == 0
    printed = capsys.readouterr().out
    assert "price (56 of 57 are like numbers, but 'n.d.')" in printed
    assert "Taken as text: share (60 of 60 are like numbers, but '0,5'" in printed


def write_bad_files():
    for name, text in {
        "one.csv": "a,b\n1,2\n",
        "empty.csv": "",
        "ragged.csv": "a,b\n1,2\n1,2,3\n",
        "column.csv": "a\n1\n2\n4\n7\n",
        "narrow.csv": "a,b\n1,2\n7,1\n3,5\n4,4\n",
        "prose.csv": "a\n" + "\n".join(f"text {i}" for i in range(60)),
        "unknown.csv": "a,b,c\n1,2,\n2,1,\n",
        "decimal.csv": "a,b,c\n1,2,.5\n2,1,.7\n3,3,.1\n",
    }.items():
        with open(name, "w") as file:
            file.write(text)
    for name in ("bytes.csv", "bytes.npy", "bytes.parquet"):
        with open(name, "wb") as file:
            file.write(bytes(range(256)))
    with open("latin.csv", "wb") as file:
        file.write("a,b\n1,é\n".encode("latin-1"))
    np.save("words.npy", np.array([["a", "b"]] * 9))
    np.save("flat.npy", np.arange(9.0))
    np.save("one.npy", np.ones((1, 9)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("one.csv", "one.csv has 1 row, 2 columns; a comparison needs more rows"),
        ("one.npy", "one.npy has 1 row, 9 columns"),
        ("empty.csv", "cannot read 'empty.csv'"),
        ("ragged.csv", "Expected 2 fields in line 3, saw 3"),
        ("narrow.csv", "--components must be below the number of columns"),
        ("column.csv", "X has one column or training row: nothing to compress"),
        ("latin.csv", "it is not UTF-8. Save it as CSV in UTF-8"),
        ("people.tsv", "Other text files can be renamed"),
        ("prose.csv", "no column to compress. Columns left out: a (60 distinct texts)"),
        ("unknown.csv --target c", "'c' is known in 0 rows only"),
        ("bytes.csv", "cannot read 'bytes.csv'"),
        ("bytes.npy", "cannot read 'bytes.npy'"),
        ("bytes.parquet", "cannot read 'bytes.parquet'"),
        ("words.npy", "expected numbers, got dtype <U1"),
        ("flat.npy", "expected an array of rows and columns"),
        ("missing.csv", "there is no file 'missing.csv'"),
        ("table.xlsx", "got 'table.xlsx'"),
        ("people.csv --target prise", "no column 'prise'; did you mean price?"),
        ("people.csv --target zzz", "no column 'zzz'; there is id, age, height"),
        ("people.csv --target name", "No label of y occurs twice"),
        ("people.csv --task regression", "--task needs a --target"),
        ("people.csv --target member --task regression --folds 99", "--folds must be"),
        ("wine --target a", "--target is for files"),
        ("wine --components 2,x", "--components: expected positive whole numbers"),
        ("wine --components 0", "--components: expected positive whole numbers"),
        ("wine --components 99", "at most 12, got (99,)"),
        ("wine --folds 1", "--folds: expected a whole number of at least 2, got '1'"),
        ("wine --seed -1", "--seed: expected a whole number of at least 0, got '-1'"),
        ("wine --output people.csv", "--output: 'people.csv' is a file, not a folder"),
        ("decimal.csv --target c --task classification", "holds decimal numbers"),
        ("people.csv --target name --task regression", "the target holds 'person 0'"),
        ("wine --bogus", "unrecognized arguments: --bogus"),
    ],
)
def test_bad_input_ends_with_one_line_and_status_2(arguments, message, people, capsys):
    if ".parquet" in arguments:
        pytest.importorskip("pyarrow")
    write_bad_files()
    people.to_csv("people.csv", index=False)
    try:
        status = cli.main(["compare", *arguments.split()])
    except SystemExit as stop:  # from argparse
        status = stop.code
    assert status == 2
    error = capsys.readouterr().err
    assert message in error and "error: " in error
    assert error.count("\n") == 1


def test_no_command_is_one_line_too(capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main([])
    assert stop.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_interrupt_is_status_130(monkeypatch, capsys):
    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "measure", interrupt)
    assert cli.main(["compare", "wine"]) == 130
    assert "interrupted" in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(
    ("package", "data", "hint"),
    [
        ("matplotlib", "wine", 'pip install "skae[compare]"'),
        ("pandas", "people.csv", 'pip install "skae[compare]"'),
        ("pyarrow", "people.parquet", 'pip install "skae[parquet]"'),
    ],
)
def test_missing_extras_say_what_to_install(
    package, data, hint, people, monkeypatch, capsys
):
    pytest.importorskip("pyarrow")
    people.to_csv("people.csv", index=False)
    people.to_parquet("people.parquet")
    if package == "pyarrow":  # pandas looks for it without an import statement
        monkeypatch.setitem(sys.modules, package, None)
    hide(monkeypatch, package)
    assert cli.main(["compare", data]) == 2
    assert hint in capsys.readouterr().err


def test_built_in_tables_need_no_pandas(monkeypatch):
    hide(monkeypatch, "pandas")
    assert cli.main(["compare", "wine", "--components", "2"]) == 0


def test_autoencoder_is_compared_where_nothing_is_given(monkeypatch):
    monkeypatch.undo()  # the estimators themselves, not their cheap stand-in
    assert isinstance(run._check_estimators(None)["Autoencoder"], skae.Autoencoder)


ROWS = "".join(
    f"{a},{b},{'odd' if a % 2 else 'even'}\n" for a, b in [(3, 1), (2, 4), (5, 9)]
)


@pytest.mark.parametrize(
    ("text", "names", "note"),
    [
        (ROWS, ["0", "1", "2"], "no header"),
        ("a,b,c\n" + ROWS, ["a", "b", "c"], None),
        ("2019,2020,kind\n" + ROWS, ["2019", "2020", "kind"], None),
        ("\n\na,b\n1,2\n3,5\n2,9\n", ["a", "b"], None),
        ("5.1,?,1\n4.2,2,3\n3,3,9\n", ["0", "1", "2"], "no header"),
        ("5,1;3,5;1,4\n4,1;2,5;2,4\n4,7;2,9;0,4\n", ["0", "1", "2"], "decimal points"),
        ("a\tb\n5,1\t3,5\n4,1\t2,5\n9,1\t7,5\n", ["a", "b"], "decimal points"),
        ("a,b\n1,y,\n2,x,\n4,y,\n", ["a", "b"], None),
        ("a,b\nr1,1,4\nr2,2,3\nr3,5,5\n", ["a", "b"], "without a name"),
        ("a,b\n1,1,4\n2,2,3\n3,5,5\n", ["a", "b"], "without a name"),
        ("a,b\n0,0,,\n1,2,,\n5,4,,\n", ["a", "b"], None),
        ("x,y,z\n1,5,0,\n4,7,1,\n3,9,6,\n", ["x", "y", "z"], None),
        (",0,1\n0,5.5,4\n1,7,3\n2,3,9\n", ["0", "1"], None),
        ("0,1,2\n5,5.5,4\n1,7,3\n2,3,9\n", ["0", "1", "2"], None),
        (",no,spam\n5,4,ham\n1,7,spam\n2,3,ham\n", ["Unnamed: 0", "no", "spam"], None),
        ("pop\tx\n1,100\t1\n2,101\t3\n1,100\t2\n", ["pop", "x"], None),
        (
            ",2020-01-01,2020-01-02\n0,5,0.2\n1,3,7\n2,1,4\n",
            ["2020-01-01", "2020-01-02"],
            None,
        ),
        ("a;b\n1,100;1\n2,101;3\n9,990;2\n", ["a", "b"], "decimal points"),
    ],
)
def test_formats_of_csv(tmp_path, text, names, note):
    path = tmp_path / "table.csv"
    path.write_text(text)
    table = tables.load(str(path))
    assert list(table.X.columns) == names and len(table.X) == 3
    assert table.X.select_dtypes("number").shape[1] >= len(names) - 1
    assert note is None or note in " ".join(table.notes)
    assert note is not None or "header" not in " ".join(table.notes)


def test_a_decimal_comma_far_below_and_a_long_text(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("a;b\n" + "1;2\n3;1\n" * 150 + "1,5;2,5\n")
    assert tables.load(str(path)).X.iloc[-1].tolist() == [1.5, 2.5]
    path.write_text("a,b\n" + "x" * 200_000 + ",1\ny,2\nz,4\n")
    assert tables.load(str(path)).X["b"].tolist() == [1, 2, 4]


def test_large_targets_stay_numbers(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("a,b\n1,1e20\n4,3e20\n3,6e20\n")
    assert tables.load(str(path), "b").y.tolist() == [1e20, 3e20, 6e20]


def test_decimals_and_durations_are_numbers(tmp_path):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    rng = np.random.RandomState(0)
    frame = pandas.DataFrame(
        {
            "price": [Decimal(f"{x:.2f}") for x in rng.gamma(2, 50, 80)],
            "length": pandas.to_timedelta(rng.randint(1, 9000, 80), unit="s"),
            "b": rng.randn(80),
        }
    )
    frame.to_parquet(tmp_path / "orders.parquet")
    table = tables.load(str(tmp_path / "orders.parquet"))
    assert [column.dtype.kind for _, column in table.X.items()] == ["f"] * 3


def test_spaces_after_separators(tmp_path):
    rows = "".join(f"{i * i}.5, {5 * i % 9}.25\n" for i in range(9))
    (tmp_path / "a.csv").write_text("a, b\n" + rows)
    assert list(tables.load(str(tmp_path / "a.csv")).X) == ["a", "b"]


def test_an_array_that_claims_more_than_there_is(tmp_path, capsys):
    with open(tmp_path / "huge.npy", "wb") as file:
        header = {"descr": "<f8", "fortran_order": False, "shape": (10**12, 10)}
        np.lib.format.write_array_header_1_0(file, header)
    assert cli.main(["compare", str(tmp_path / "huge.npy")]) == 2
    assert "cannot read" in capsys.readouterr().err


def test_levels_of_which_one_is_a_gap(tmp_path):
    path = tmp_path / "alleys.csv"
    path.write_text("alley,size\n" + "paved,1\n,2\n" * 10)
    assert list(tables.load(str(path), None).X) == ["alley", "size"]


def test_names_that_end_in_spaces(tmp_path):
    path = tmp_path / "spaces.csv"
    path.write_text(" a ,b \n" + "1,2\n4,7\n5,6\n")
    table = tables.load(str(path), "b")
    assert list(table.X) == ["a"] and table.y.name == "b"


def test_a_target_of_one_value(tmp_path, capsys):
    path = tmp_path / "same.csv"
    path.write_text("a,b\n" + "1,2\n4,2\n5,2\n")
    assert cli.main(["compare", str(path), "--target", "b"]) == 2
    assert "'b' has one value only" in capsys.readouterr().err


@pytest.mark.parametrize("n_columns", [2, 3])
def test_a_title_is_not_a_header(tmp_path, n_columns):
    lines = [",".join("abc"[:n_columns]), *(["1.5,2,3"[: 2 * n_columns + 1]] * 3)]
    (tmp_path / "t.csv").write_text("\n".join(["Quarterly export", *lines]))
    with pytest.raises(ValueError, match="first line, 'Quarterly export', has 1 of"):
        tables.load("t.csv")


def test_dates_are_left_out_of_any_file(tmp_path):
    days = pandas.date_range("2020-01-01", periods=9)
    frame = pandas.DataFrame({"x": np.arange(9.0) ** 2, "day": days})
    for text in (
        days.date,
        days.strftime("%Y-%m-%dT%H:%M:%S"),
        days.tz_localize("UTC"),
    ):
        frame.assign(day=text).to_csv(tmp_path / "t.csv", index=False)
        assert "Columns left out: day (dates)." in tables.load("t.csv").notes
        with pytest.raises(ValueError, match="--target: 'day' holds dates"):
            tables.load("t.csv", "day")


def test_texts_that_begin_like_dates_and_clocks_that_change(tmp_path):
    frame = pandas.DataFrame({"x": np.arange(6.0) ** 2, "z": np.arange(6.0) ** 3})
    clocks = [f"2020-0{m}-01T00:00:00+0{1 + (m > 3)}:00" for m in range(1, 7)]
    frame.assign(day=clocks).to_csv(tmp_path / "t.csv", index=False)
    assert "Columns left out: day (dates)." in tables.load("t.csv").notes
    for text in ("2020-01-01-A", "2020-21-22", "2020-13-45 cohort"):
        frame.assign(day=[text, "b"] * 3).replace("b", text[:-1] + "9").to_csv(
            tmp_path / "t.csv", index=False
        )
        assert list(tables.load("t.csv").X) == ["x", "z", "day"]
        assert tables.load("t.csv", "day").y.nunique() == 2


@pytest.mark.parametrize(
    "text", ["a,b\nr0,NA,NA\nr1,1.5,3\nr2,2,5\n", "a,b\nr,s,1,2\nr,t,2,5\nu,v,1,3\n"]
)
def test_names_of_rows_are_left_out(tmp_path, text):
    (tmp_path / "t.csv").write_text(text)
    table = tables.load("t.csv")
    assert "Columns without a name, the first ones, are left out." in table.notes
    assert list(table.X) == ["a", "b"]


def test_an_array_without_columns(tmp_path):
    np.save(tmp_path / "t.npy", np.zeros((5, 0)))
    with pytest.raises(ValueError, match="expected an array of rows and columns"):
        tables.load("t.npy")


def written(values, **others):
    """Return the table of a CSV file that has `values` beside two columns of noise."""
    noise = np.random.default_rng(0).normal(size=(len(values), 2))
    frame = pandas.DataFrame(noise, columns=["a", "b"]).assign(odd=values, **others)
    frame.to_csv("odd.csv", index=False)
    return frame


@pytest.mark.parametrize("form", ["{}%", "${}", "1,{:03d}.50", "{}'000"])
def test_numbers_that_are_written_for_people_are_pointed_out(form, tmp_path):
    written([form.format(i % 20) for i in range(60)])
    table = tables.load("odd.csv")
    assert "Taken as text: odd (60 of 60 are like numbers" in " ".join(table.notes)
    written([form.format(i) for i in range(60)])
    with pytest.raises(ValueError, match="--target: of 'odd' 60 of 60 are like"):
        tables.load("odd.csv", "odd")


@pytest.mark.parametrize(
    "form",
    [
        "{:02d}.01.2020",
        "{:02d}.01.20",
        "{:02d}-01-2020",
        "{:02d}-Jan-2020",
        "January {}, 2020",
        "01/{:02d}/2020",
        "2020-01-{:02d}",
        "2020/01/{:02d}",
    ],
)
def test_dates_are_known_in_any_order(form, tmp_path):
    frame = written([form.format(i % 28 + 1) for i in range(60)])
    assert list(tables.load("odd.csv").X) == ["a", "b"]
    with pytest.raises(ValueError, match="holds dates"):
        tables.load("odd.csv", "odd")
    frame[["odd", "a", "b"]].to_csv("bare.csv", index=False, header=False)
    assert len(tables.load("bare.csv").X) == 60


def test_text_that_hardly_comes_again_is_left_out(tmp_path):
    written([f"model {i}" for i in range(32)], kind=list("abcd") * 8)
    table = tables.load("odd.csv")
    assert list(table.X) == ["a", "b", "kind"]
    assert "odd (32 distinct texts)" in " ".join(table.notes)


def test_few_levels_are_categories_in_any_table(tmp_path):
    written(["x", "y", None, "x", "z"])
    assert list(tables.load("odd.csv").X) == ["a", "b", "odd"]


def test_labels_of_which_some_are_like_numbers(tmp_path):
    written([f"{'N' * (i % 2)}{i % 15}" for i in range(120)])
    assert tables.load("odd.csv", "odd").y.nunique() == 30


def test_a_target_with_an_odd_cell(tmp_path):
    written(["-", *map(str, range(59))], two=["-", *"01" * 29, "1"])
    with pytest.raises(ValueError, match="of 'odd' 59 of 60 are like numbers, but '-'"):
        tables.load("odd.csv", "odd")
    notes = " ".join(tables.load("odd.csv", "two").notes)
    assert "The target two is taken as labels: 59 of 60" in notes


def test_values_too_large_to_be_squared_are_left_out(tmp_path):
    written(np.arange(60) * 1e299)
    table = tables.load("odd.csv")
    assert list(table.X) == ["a", "b"] and "too large" in " ".join(table.notes)


def test_an_index_with_a_name_is_a_column(tmp_path):
    pytest.importorskip("pyarrow")
    frame = written(list("xy") * 30)
    frame.set_index("odd").to_parquet("odd.parquet")
    assert tables.load("odd.parquet", "odd").y.nunique() == 2
    for kept in (frame, frame.set_index("a", drop=False)):
        kept.to_parquet("odd.parquet")
        assert list(tables.load("odd.parquet").X) == ["a", "b", "odd"]


def test_a_folder_that_takes_no_files_is_refused_at_once(monkeypatch, capsys):
    def refused(*args, **kwargs):
        raise PermissionError("not here")

    monkeypatch.setattr(cli, "TemporaryFile", refused)
    monkeypatch.setattr(cli, "compare", None)
    assert cli.main(["compare", "wine"]) == 2
    assert "--output: cannot write to 'skae-comparison'" in capsys.readouterr().err
