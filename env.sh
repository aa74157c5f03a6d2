# Work in the built environment:  . ./env.sh   (bash, zsh; other shells: source it from the workspace's folder)
# Needs `make setup` first. Where ROS 2 is installed, its set-up comes first and the workspace is laid over it.
if [ -n "${BASH_VERSION:-}" ]; then
  _cell_root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
elif [ -n "${ZSH_VERSION:-}" ]; then
  _cell_root=$(cd "$(dirname "$0")" && pwd)
else
  _cell_root=$PWD
fi

_cell_python=$(cd "$_cell_root/.venv/lib" && echo python3.*)

if [ -f "$_cell_root/.venv/share/rclpy/package.xml" ]; then
  AMENT_PREFIX_PATH="$_cell_root/install:$_cell_root/.venv"
  # The wheels' start-up hook finds these folders, too, but starts every Python twice to have them; with its mark it rests.
  LD_LIBRARY_PATH="$_cell_root/install/lib:$_cell_root/.venv/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
  for _cell_libs in "$_cell_root/.venv/lib/$_cell_python"/site-packages/ros_*.libs; do
    LD_LIBRARY_PATH="$LD_LIBRARY_PATH:$_cell_libs"
  done
  _ROS_WHEELS_BOOTSTRAP_COMPLETE=1
  PATH="$_cell_root/.venv/bin:$PATH"
  export AMENT_PREFIX_PATH LD_LIBRARY_PATH _ROS_WHEELS_BOOTSTRAP_COMPLETE PATH
  COLCON_CURRENT_PREFIX="$_cell_root/install" . "$_cell_root/install/local_setup.sh"
else
  [ -n "${AMENT_PREFIX_PATH:-}" ] || . /opt/ros/jazzy/setup.sh
  COLCON_CURRENT_PREFIX="$_cell_root/install" . "$_cell_root/install/local_setup.sh"
  PYTHONPATH="$PYTHONPATH:$_cell_root/.venv/lib/$_cell_python/site-packages"
  PATH="$_cell_root/.venv/bin:$PATH"
  export PYTHONPATH PATH
fi

# Discovery stays on this machine unless the plant decides otherwise.
export ROS_AUTOMATIC_DISCOVERY_RANGE="${ROS_AUTOMATIC_DISCOVERY_RANGE:-LOCALHOST}"
# A node ends at once when its log folder cannot be made, e.g. in a read-only home folder.
_cell_logs="${HOME:-/nonexistent}/.ros/log"
if [ -z "${ROS_LOG_DIR:-}${ROS_HOME:-}" ] && ! { mkdir -p "$_cell_logs" && [ -w "$_cell_logs" ]; } 2>/dev/null; then
  export ROS_LOG_DIR="$_cell_root/build/ros_log"
fi
unset _cell_root _cell_python _cell_libs _cell_logs
