"""The test scenes: how a held-out clip sounds when it is soft, far away, whispered, over music or on an old phone.

The speech itself has exactly the scene's active level (ITU-T P.56); the background is
given relative to it. `seed` fixes everything drawn at random.
"""

from dataclasses import dataclass

import numpy as np

from levels import active_level_dbfs, gain_to, to_16_bit
from sounds import colored_noise, hiss, in_room, music, over_telephone, room_response

SAMPLE_RATE = 16_000


@dataclass(frozen=True)
class Scene:
    name: str
    level_dbfs: float
    whispered: bool = False
    far: bool = False
    phone: bool = False
    noise_below_db: float | None = None
    music_below_db: float | None = None


SCENES = (
    Scene("clean-20", -20),
    Scene("clean-35", -35),
    Scene("clean-45", -45),
    Scene("clean-60", -60),
    Scene("soft", -32, noise_below_db=25),
    Scene("far-field", -38, far=True, noise_below_db=25),
    Scene("whisper", -45, whispered=True, noise_below_db=25),
    Scene("music", -40, music_below_db=12),
    Scene("old-phone", -36, phone=True, noise_below_db=25),
)
SCENE_BY_NAME = {scene.name: scene for scene in SCENES}


def render(speech: np.ndarray, scene: Scene, seed: int, lead_seconds: float = 0.25, trail_seconds: float = 0.35) -> np.ndarray:
    """Float samples that a 16-bit file holds exactly."""
    rng = np.random.default_rng(seed)
    x = speech.astype(np.float32)
    if scene.far:
        x = in_room(x, room_response(rng, decay_seconds=0.5, direct_to_reverb_db=0.0))
    if scene.phone:
        x = over_telephone(x * gain_to(-26, active_level_dbfs(x)), 1.0)
    x = x * gain_to(scene.level_dbfs, active_level_dbfs(x))
    lead, trail = np.zeros(int(lead_seconds * SAMPLE_RATE)), np.zeros(int(trail_seconds * SAMPLE_RATE))
    x = np.concatenate([lead, x, trail]).astype(np.float32)
    if scene.noise_below_db is not None:
        noise = hiss(len(x), rng) if scene.phone else colored_noise(len(x), 1.0, rng)
        x = x + noise * 10 ** ((scene.level_dbfs - scene.noise_below_db) / 20)
    if scene.music_below_db is not None:
        x = x + music(len(x), rng) * 10 ** ((scene.level_dbfs - scene.music_below_db) / 20)
    return to_16_bit(x)
