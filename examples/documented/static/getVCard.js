// JavaScript
document.addEventListener("DOMContentLoaded", function(event) {
  const vCard = OC.user.getVCard();
  console.log(vCard);
  // '{"jid":"user@domain.tld","userName":"Your username","avatar":"..."}'
});
