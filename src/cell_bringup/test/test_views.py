import ast
import json
import re
from pathlib import Path

import pytest
import yaml
from cell_bringup.views import ViewFile, retarget
from launch.substitutions import TextSubstitution

from launch import LaunchContext

CONFIG = Path(__file__).resolve().parents[3] / 'config'
RVIZ, RQT, FOXGLOVE = (CONFIG / name for name in ('cell.rviz', 'cell.perspective', 'cell.lichtblick.json'))


def view(path, namespace='cell2', prefix='cell2/'):
    return retarget(path.read_text(), namespace, prefix)


def displays(text):
    return {display['Name']: display for display in yaml.safe_load(text)['Visualization Manager']['Displays']}


@pytest.mark.parametrize('path', [RVIZ, RQT, FOXGLOVE])
def test_no_name_of_the_shipped_cell_is_left(path):
    text = view(path)
    assert '/cell2/' in text and not re.search(r'/cell\b', text)


@pytest.mark.parametrize('path', [RVIZ, RQT, FOXGLOVE])
def test_the_shipped_namespace_changes_nothing(path):
    same = retarget(path.read_text(), '/cell', '')
    assert yaml.safe_load(same) == yaml.safe_load(path.read_text())


def test_rviz_has_topics_fixed_frame_and_prefix_of_the_cell():
    text = view(RVIZ)
    shown = displays(text)
    assert shown['Robot']['Description Topic']['Value'] == '/cell2/robot_description'
    # RViz puts the slash between prefix and link itself.
    assert shown['Robot']['TF Prefix'] == 'cell2'
    assert yaml.safe_load(text)['Visualization Manager']['Global Options']['Fixed Frame'] == 'cell2/base_link'


def test_foxglove_has_topics_and_frames_of_the_cell():
    scene = json.loads(view(FOXGLOVE))['configById']['3D!cell']
    assert scene['followTf'] == 'cell2/base_link' and '/cell2/markers' in scene['topics']
    assert (
        scene['layers']['robot']['framePrefix'] == 'cell2/' and scene['layers']['robot']['topic'] == '/cell2/robot_description'
    )
    assert scene['layers']['grid']['frameId'] == 'cell2/base_link'


def test_rqt_has_the_pictures_of_the_cell():
    group = json.loads(view(RQT))['groups']['pluginmanager']['groups']['plugin__rqt_image_view__ImageView__1']
    assert ast.literal_eval(group['groups']['plugin']['keys']['topic']['repr']) == '/cell2/ocr/overlay/compressed'


def test_nested_and_empty_namespaces():
    text = 'Topic: {Value: /cell/markers}\nOther: /cellar/x\nName: about /cell/job\n'
    assert yaml.safe_load(retarget(text, 'plant/a/', ''))['Topic']['Value'] == '/plant/a/markers'
    assert yaml.safe_load(retarget(text, '', '')) == {
        'Topic': {'Value': '/markers'},
        'Other': '/cellar/x',
        'Name': 'about /job',
    }


def test_the_file_of_a_launch_is_named_after_its_cell(tmp_path):
    parts = [TextSubstitution(text=text) for text in (str(RVIZ), str(tmp_path / 'views'), 'cell2', 'cell2/')]
    path = Path(ViewFile(*parts).perform(LaunchContext()))
    assert path == tmp_path / 'views' / 'cell2.rviz' and '/cell2/markers' in path.read_text()


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / 'file').write_text('')
    parts = [TextSubstitution(text=text) for text in (str(RVIZ), str(tmp_path / 'file' / 'views'), 'cell2', '')]
    with pytest.raises(OSError, match='file'):
        ViewFile(*parts).perform(LaunchContext())
