// JavaScript
// on DOMContentLoaded
document.addEventListener("DOMContentLoaded", function(event) {
  const sessionId = OC.user.getSessionID();
  console.log(sessionId);
});
