"""Serves `ocr/get_crop`: crops of the latest readings, so that results need not contain them."""

from __future__ import annotations

from cell_common.latest_entries import LatestEntries
from cell_common.services import create_service
from rclpy.node import Node

from cell_interfaces.msg import OcrResult, ResultCode
from cell_interfaces.srv import GetCrop
from cell_vision.ocr.conversions import jpeg_message, polygon_of
from cell_vision.ocr.matched_region import matched_region
from cell_vision.types import EvidenceCrop

REMEMBERED = 20
"""Number of crops in memory, about 20 kB each."""


class CropService:
    """Cache of the crops of the latest readings, by request id."""

    def __init__(self, node: Node) -> None:
        """Create the service."""
        self._crops = LatestEntries[str, EvidenceCrop](REMEMBERED)
        create_service(node, GetCrop, 'ocr/get_crop', self._handle)

    def remember(self, result: OcrResult, crop: EvidenceCrop | None) -> None:
        """Cache the crop of a result whose has_crop is set.

        Args:
            result: Its request id is the key; a repeated id replaces the older crop.
            crop: Crop in memory only; results carry its corners, not its bytes.
        """
        if not result.has_crop or crop is None:
            return
        self._crops[result.request_id] = crop

    def _handle(self, request: GetCrop.Request, response: GetCrop.Response) -> GetCrop.Response:
        """Answer `ocr/get_crop`: the region that was read, or the part of it that a polygon names."""
        crop = self._crops.get(request.request_id)
        if crop is None:
            response.code = ResultCode.UNKNOWN_READING
            response.message = f'no crop of reading "{request.request_id}": only the latest {REMEMBERED} readings are kept'
            return response
        polygon = polygon_of(request.polygon)
        jpeg = matched_region(crop.jpeg, crop.polygon, polygon) if polygon else crop.jpeg
        if not jpeg:
            response.code = ResultCode.INVALID_ARGUMENT
            response.message = 'the polygon is outside the region that was read'
            return response
        response.code, response.crop = ResultCode.OK, jpeg_message(jpeg)
        return response
