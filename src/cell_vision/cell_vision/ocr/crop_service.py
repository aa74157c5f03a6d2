"""Serves `ocr/get_crop`: the picture of one of the latest readings, so that results carry only its id."""

from __future__ import annotations

from collections import OrderedDict

from rclpy.node import Node

from cell_interfaces.msg import OcrResult, ResultCode
from cell_interfaces.srv import GetCrop
from cell_vision.ocr.conversions import picture, polygon_of
from cell_vision.ocr.matched_region import matched_region
from cell_vision.types import Crop

REMEMBERED = 20
"""Crops in memory, about 20 kB each."""


class CropService:
    """Cache of the crops of the latest readings, by request id."""

    def __init__(self, node: Node) -> None:
        """Create the service on a node."""
        self._crops: OrderedDict[str, Crop] = OrderedDict()
        node.create_service(GetCrop, 'ocr/get_crop', self._get)

    def remember(self, result: OcrResult, crop: Crop | None) -> None:
        """Cache the crop of a result that says it has one."""
        if not result.has_crop or crop is None:
            return
        self._crops[result.request_id] = crop
        self._crops.move_to_end(result.request_id)
        while len(self._crops) > REMEMBERED:
            self._crops.popitem(last=False)

    def _get(self, request: GetCrop.Request, response: GetCrop.Response) -> GetCrop.Response:
        crop = self._crops.get(request.request_id)
        if crop is None:
            response.code = ResultCode.UNKNOWN_READING
            response.message = f'no crop of reading "{request.request_id}": only the latest {REMEMBERED} readings are kept'
            return response
        polygon = polygon_of(request.polygon)
        jpeg = matched_region(crop.jpeg, crop.polygon, polygon) if polygon else crop.jpeg
        if not jpeg:
            response.code = ResultCode.INVALID_ARGUMENT
            response.message = 'polygon does not lie in the region that was read'
            return response
        response.code, response.crop = ResultCode.OK, picture(jpeg)
        return response
