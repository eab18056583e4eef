"""From a package to what runs it: an image, what is in it, and manifests for a cluster.

`image`       the build context of wheels, and the image
`settle`      the image without what differs from build to build
`wheels`      what a wheel says about itself
`sbom`        the list of what an image holds (CycloneDX)
`pod`         what a pod of so many sessions needs of processor and memory, each figure with its terms
`kubernetes`  the manifests; `words` names and amounts as they are written there
"""
