"""Protocol official: the published evaluation of IVCR-200K, defect for defect."""
