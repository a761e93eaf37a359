"""The headline metrics: which figures rank systems, and which are shown first."""

FIND_VIDEO, CHOOSE_VIDEO, FIND_MOMENT = "R@1", "C-R@1", "R@1,IoU>=0.5"
# One for each way in which a turn asks for a video or a moment.
TASK_HEADLINES = (FIND_VIDEO, CHOOSE_VIDEO, FIND_MOMENT)
AHEAD_OF_FOIL = "ahead_of_foil"
# What a summary of scores and a comparison show. All are means over turns or dialogues that do not
# depend on the answers, so that paired tests apply.
HEADLINES = (
    FIND_VIDEO,
    "R@10",
    "MRR",
    CHOOSE_VIDEO,
    AHEAD_OF_FOIL,
    FIND_MOMENT,
    "mIoU",
    "success",
    "turns_right",
)
