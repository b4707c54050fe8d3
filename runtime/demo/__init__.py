"""The demo hospitals, 한빛대학교병원 (`hanbit`, tertiary) and 새봄의원 (`saebom`, clinic): places, staff, patients.

Everything here may be run again at any time: what is there is left as it is.
"""
